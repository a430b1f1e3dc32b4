"""The sources' family service: events of the site for its members, their answers on the site."""

import pytest

from tests.fixtures_.crm import Crm
from tests.fixtures_.dialogue import Dialogue

pytestmark = pytest.mark.django_db


def test_news_are_told_and_commented(relative: Dialogue, crm: Crm) -> None:
    assert relative.is_called("post-new", post_id=9, title="A son was born", author="Boris") == [
        "A new family event occurred! Boris: A son was born"
    ]
    assert relative.presses("Write a comment") == ["Write your comment."]
    assert relative.says("Congratulations!") == ["Passed on."]
    assert crm.asked == [("POST /api/comments", {"userId": 125, "postId": 9, "text": "Congratulations!"})]
    assert relative.is_called("post-new", post_id=10, title="Holidays", photo="https://family.example.com/1.jpg")[-1:] == [
        "A new family event occurred! Holidays"
    ]
    assert relative.presses("❤️") == ["Passed on."]


def test_a_site_that_is_down_is_told(relative: Dialogue, crm: Crm) -> None:
    crm.down = True
    relative.is_called("comment-new", post_id=9, author="Olga", text="Nice")
    relative.presses("Answer")
    assert relative.says("Thanks") == ["The site does not answer right now. Please write it there later."]


def test_who_wants_fewer_messages_hears_of_no_comments(relative: Dialogue) -> None:
    assert relative.is_called("comment-new", post_id=9, author="Olga", text="Nice") == ["Someone commented on your post. Olga: “Nice”"]
    relative.presses("Answer")
    assert relative.says("Thank you") == ["Passed on."]
    relative.says("menu")
    assert relative.presses("Fewer messages") == ["All right: new events only."]
    assert relative.is_called("comment-new", post_id=9, author="Olga", text="Nice") == []
    assert relative.is_called("users-new", member="Maria") == ["Maria has joined us. Welcome to the family!"]
    assert relative.is_called("users-new", member="Anna", is_new=True) == ["Welcome to the family, Anna!"]


def test_new_data_are_confirmed_by_their_owner_in_their_language(relative: Dialogue, crm: Crm) -> None:
    assert relative.says("/ru") == ["Говорим по-русски."]
    assert relative.is_called("profile-updated", change_id=3, field="День рождения", value="12.05.1960") == [
        "Новые данные в профиле семьи. День рождения: 12.05.1960. Всё верно?"
    ]
    assert relative.presses("Нет") == ["Спасибо!"]
    assert crm.asked == [("POST /api/profile/confirm", {"userId": 125, "changeId": 3, "confirmed": False})]
