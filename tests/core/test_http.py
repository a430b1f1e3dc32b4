import asyncio
import datetime as dt
import gzip
import resource
import ssl
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import aiohappyeyeballs
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from pytest_django import DjangoAssertNumQueries, Settings

from apps.core import allowlist, loop
from apps.core.addresses import AllowRule
from apps.core.http import (
    AddressRefusedError,
    ConnectionFailedError,
    DeadlineError,
    OutgoingClient,
    OutgoingError,
    OutgoingRequest,
    RefusedError,
    Reply,
    TooLargeError,
    fetch,
    fetch_sync,
)
from apps.core.models import AllowedAddress
from apps.core.trace import trace
from tests.core.servers import Received, Server, reply, serving

LOOPBACK = (AllowRule.parse("127.0.0.0/8"),)


class StubNames:
    """A name server: each name has the addresses it was given."""

    def __init__(self, **names: Sequence[str]) -> None:
        self.names = {name.replace("_", "."): addresses for name, addresses in names.items()}
        self.asked: list[str] = []

    async def __call__(self, host: str, _port: int) -> Sequence[str]:
        self.asked.append(host)
        if host not in self.names:
            raise OSError("unknown")
        return self.names[host]


@pytest.fixture
def send() -> Iterator[Callable[..., Reply]]:
    """Sends with a client of its own, closed at the end; `rules` is the allow-list, `names` the name server."""
    clients: list[OutgoingClient] = []

    def _send(request: OutgoingRequest, *, rules: tuple[AllowRule, ...] = LOOPBACK, names: StubNames | None = None) -> Reply:
        client = OutgoingClient(names) if names else OutgoingClient()
        clients.append(client)
        return loop.run(client.send(request, rules))

    yield _send
    for client in clients:
        loop.run(client.close())


def test_an_answer_comes_back_whole(send: Callable[..., Reply]) -> None:
    with serving(reply("201 Created", b'{"id": 125}', Content_Type="application/json; charset=utf-8", X_Own="1")) as server:
        got = send(OutgoingRequest("post", server.url("/orders?x=1"), headers={"X-Key": "k"}, json={"name": "Anna", "sum": 3500}))
    assert (got.status, got.body, got.media_type, got.headers["x-own"], got.ok) == (201, b'{"id": 125}', "application/json", "1", True)
    [received] = server.received
    assert received.line == "POST /orders?x=1 HTTP/1.1"
    assert received.body == b'{"name": "Anna", "sum": 3500}'
    assert received.headers["content-type"] == "application/json"
    assert received.headers["x-key"] == "k"
    assert received.headers["host"] == f"127.0.0.1:{server.port}"


@pytest.mark.parametrize("status", ["204 No Content", "302 Found", "404 Not Found", "500 Internal Server Error"])
def test_any_status_is_an_answer_and_not_an_error(send: Callable[..., Reply], status: str) -> None:
    with serving(reply(status, Location="http://10.0.0.1/")) as server:
        assert send(OutgoingRequest("GET", server.url())).status == int(status[:3])
    assert len(server.received) == 1


def test_the_trace_id_goes_with_the_call(send: Callable[..., Reply]) -> None:
    with serving(reply()) as server, trace("chain-0001"):
        send(OutgoingRequest("GET", server.url()))
    assert server.received[0].headers["x-trace-id"] == "chain-0001"


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "017700000001",
        "0.0.0.0",  # noqa: S104  a target, not a listener
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::127.0.0.1]",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "192.0.0.8",
        "198.18.0.1",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "[fe80::1]",
        "[fc00::1]",
        "[ff02::1]",
        "[2002:7f00:1::]",
        "[2002:a9fe:a9fe::]",
        "[64:ff9b::7f00:1]",
        "[64:ff9b::a9fe:a9fe]",
        "[64:ff9b:1::a00:1]",
        "[2001:0:4136:e378:8000:63bf:3fff:fdd2]",
        "[2001:0:7f00:1::]",
        "[fec0::1]",
        "[100::1]",
        "[2001:db8::1]",
        "[fd00:ec2::254]",
        "168.63.129.16",
        "localhost",
        "localhost.",
        "LOCALHOST",
        "%31%32%37.0.0.1",
        "１２７.0.0.1",
        "127。0。0。1",
    ],
)
def test_an_inner_address_is_refused_however_it_is_written(send: Callable[..., Reply], host: str) -> None:
    class Obliging(StubNames):
        async def __call__(self, _host: str, _port: int) -> Sequence[str]:
            return ["127.0.0.1"]

    with pytest.raises(RefusedError):
        send(OutgoingRequest("GET", f"http://{host}:9/"), rules=(), names=Obliging())


@pytest.mark.parametrize(
    "addresses",
    [
        ["10.0.0.1"],
        ["93.184.216.34", "10.0.0.1"],
        ["::ffff:10.0.0.1"],
        ["93.184.216.34", "64:ff9b::a00:1"],
        ["2606:2800:220:1::1", "fe80::1%eth0"],
    ],
)
def test_a_name_is_refused_when_one_of_its_addresses_is(send: Callable[..., Reply], addresses: list[str]) -> None:
    names = StubNames(crm_example_com=addresses)
    with pytest.raises(AddressRefusedError, match=r"crm\.example\.com is an address inside a private network"):
        send(OutgoingRequest("GET", "https://crm.example.com/"), rules=(), names=names)
    assert names.asked == ["crm.example.com"]


def test_the_name_is_asked_once_and_the_judged_address_is_used(send: Callable[..., Reply]) -> None:
    names = StubNames(crm_internal=["127.0.0.1"])
    with serving(reply(body=b"ok")) as server:
        got = send(OutgoingRequest("GET", server.url("/", "crm.internal")), rules=(AllowRule.parse("crm.internal"),), names=names)
    assert got.body == b"ok"
    assert names.asked == ["crm.internal"]
    assert server.received[0].headers["host"] == f"crm.internal:{server.port}"


def test_a_connection_that_leads_elsewhere_is_closed_before_a_byte_is_written(
    send: Callable[..., Reply],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As when the network redirects a public address to an inner host."""
    with serving(reply()) as server:
        original = aiohappyeyeballs.start_connection

        async def elsewhere(addr_infos: Any, **kwargs: Any) -> Any:
            [(family, kind, proto, name, _address), *_rest] = addr_infos
            return await original([(family, kind, proto, name, ("127.0.0.1", server.port))], **kwargs)

        monkeypatch.setattr(aiohappyeyeballs, "start_connection", elsewhere)
        with pytest.raises(AddressRefusedError) as caught:
            send(
                OutgoingRequest("POST", "http://crm.example.com/", body=b"secret"),
                rules=(),
                names=StubNames(crm_example_com=["93.184.216.34"]),
            )
        time.sleep(0.1)
        assert server.received == []
    assert caught.value.written is False


def test_a_kept_connection_is_judged_again(send: Callable[..., Reply]) -> None:
    client = OutgoingClient()
    with serving(reply()) as server:
        request = OutgoingRequest("GET", server.url("/", "localhost"))
        loop.run(client.send(request, (AllowRule.parse("localhost"),)))
        loop.run(client.send(request, (AllowRule.parse("localhost"),)))
        assert server.connections == 1
        with pytest.raises(AddressRefusedError):
            loop.run(client.send(request, ()))
    loop.run(client.close())
    assert len(server.received) == 2


@pytest.mark.parametrize("target", ["169.254.169.254", "[::ffff:169.254.169.254]", "[64:ff9b::a9fe:a9fe]", "100.100.100.200"])
def test_metadata_services_stay_closed_even_when_their_network_is_allowed(send: Callable[..., Reply], target: str) -> None:
    rules = (AllowRule.parse("0.0.0.0/0"), AllowRule.parse("::/0"))
    with pytest.raises(AddressRefusedError):
        send(OutgoingRequest("GET", f"http://{target}/latest/meta-data/"), rules=rules)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("ftp://example.com/", "must begin with http"),
        ("file:///etc/passwd", "must begin with http"),
        ("gopher://example.com:70/", "must begin with http"),
        ("//example.com/", "must begin with http"),
        ("example.com", "must begin with http"),
        ("http://", "no host"),
        ("http:///path", "no host"),
        ("http://user:pass@example.com/", "user name or password"),
        ("http://token@example.com/", "user name or password"),
        ("http://example.com:0/", "no host or no valid port"),
        ("http://example.com:99999/", "not valid"),
        ("http://example.com:x/", "not valid"),
        ("http://exa mple.com/", "spaces"),
        ("http://example.com/\r\nX: 1", "control characters"),
        ("http://example.com\\@127.0.0.1/", "spaces, control"),
        ("http://[::1/", "not valid"),
        ("http://example.com/" + "a" * 8000, "too long"),
    ],
)
def test_a_wrong_address_is_refused_with_what_to_do(send: Callable[..., Reply], url: str, reason: str) -> None:
    with pytest.raises(RefusedError, match=reason):
        send(OutgoingRequest("GET", url))


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "inner"},
        {"host": "inner"},
        {"X-A": "1\r\nHost: inner"},
        {"X-A\r\nHost": "inner"},
        {"X-A": "1\n2"},
        {"X-A": "\x00"},
        {"": "1"},
        {"X A": "1"},
        {"Transfer-Encoding": "chunked"},
        {"Content-Length": "5"},
        {"Connection": "close"},
        {"Metadata-Flavor": "Google"},
        {"Metadata": "true"},
        {"X-aws-ec2-metadata-token-ttl-seconds": "60"},
        {"X-AWS-EC2-Metadata-Token": "x"},
        {"Proxy-Authorization": "Basic x"},
        {"X-A": "b" * 9000},
    ],
)
def test_a_header_that_could_speak_for_somebody_else_is_refused(send: Callable[..., Reply], headers: dict[str, str]) -> None:
    with pytest.raises(RefusedError, match="The header"):
        send(OutgoingRequest("GET", "http://127.0.0.1:9/", headers=headers))


def test_an_unknown_method_is_refused(send: Callable[..., Reply]) -> None:
    with pytest.raises(RefusedError, match="CONNECT"):
        send(OutgoingRequest("CONNECT", "http://127.0.0.1:9/"))


@pytest.mark.parametrize("variable", ["http_proxy", "HTTP_PROXY", "all_proxy"])
def test_the_environments_proxy_is_not_used(send: Callable[..., Reply], monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    with serving(reply(body=b"proxy")) as proxy, serving(reply(body=b"direct")) as server:
        monkeypatch.setenv(variable, proxy.url())
        assert send(OutgoingRequest("GET", server.url())).body == b"direct"
    assert proxy.received == []


async def _hang(_received: Received, _writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(60)


async def _drip(_received: Received, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _byte in range(1000):
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.05)


async def _drip_head(_received: Received, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    for number in range(1000):
        writer.write(b"X-%d: 1\r\n" % number)
        await writer.drain()
        await asyncio.sleep(0.05)


@pytest.mark.parametrize("answer", [_hang, _drip, _drip_head])
def test_the_deadline_covers_the_whole_call(send: Callable[..., Reply], answer: Any) -> None:
    with serving(answer) as server:
        started = time.monotonic()
        with pytest.raises(DeadlineError, match=r"No answer within 0\.5 s") as caught:
            send(OutgoingRequest("GET", server.url(), timeout=0.5))
    assert time.monotonic() - started < 4
    assert caught.value.written is True


def test_a_hanging_name_server_is_bounded_too(send: Callable[..., Reply]) -> None:
    class Hanging(StubNames):
        async def __call__(self, _host: str, _port: int) -> Sequence[str]:
            await asyncio.sleep(60)
            return []

    with pytest.raises(DeadlineError) as caught:
        send(OutgoingRequest("GET", "http://crm.example.com/", timeout=0.2), names=Hanging())
    assert caught.value.written is False


async def _fifty_megabytes(_received: Received, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
    for _part in range(800):
        writer.write(b"x" * 65536)
        await writer.drain()


async def _fifty_megabytes_announced(_received: Received, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 52428800\r\n\r\n")
    await asyncio.sleep(5)


@pytest.mark.parametrize("answer", [_fifty_megabytes, _fifty_megabytes_announced])
def test_a_large_answer_is_cut_off(send: Callable[..., Reply], answer: Any) -> None:
    with serving(answer) as server:
        started = time.monotonic()
        with pytest.raises(TooLargeError, match="larger than 1048576 bytes"):
            send(OutgoingRequest("GET", server.url()))
    assert time.monotonic() - started < 4


def test_an_answer_of_exactly_the_limit_passes(send: Callable[..., Reply]) -> None:
    with serving(reply(body=b"x" * 100)) as server:
        assert len(send(OutgoingRequest("GET", server.url(), max_bytes=100)).body) == 100
        with pytest.raises(TooLargeError):
            send(OutgoingRequest("GET", server.url(), max_bytes=99))


def test_compressed_answers_are_read(send: Callable[..., Reply]) -> None:
    text = "Привет ".encode() * 1000
    for encoding, body in [
        ("gzip", gzip.compress(text)),
        ("deflate", zlib.compress(text)),
        ("gzip", gzip.compress(text[:7]) + gzip.compress(text[7:])),
    ]:
        with serving(reply(body=body, Content_Encoding=encoding)) as server:
            assert send(OutgoingRequest("GET", server.url())).body == text


def test_a_decompression_bomb_is_cut_off(send: Callable[..., Reply]) -> None:
    bomb = gzip.compress(bytes(100 * 1024 * 1024), compresslevel=9)
    assert len(bomb) < 1024 * 1024
    with serving(reply(body=bomb, Content_Encoding="gzip")) as server:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        with pytest.raises(TooLargeError):
            send(OutgoingRequest("GET", server.url()))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50 * 1024


@pytest.mark.parametrize(("encoding", "body"), [("br", b"x"), ("gzip, gzip", b"x"), ("gzip", b"not gzip at all")])
def test_an_unknown_compression_is_a_broken_answer(send: Callable[..., Reply], encoding: str, body: bytes) -> None:
    with serving(reply(body=body, Content_Encoding=encoding)) as server, pytest.raises(ConnectionFailedError, match="compressed"):
        send(OutgoingRequest("GET", server.url()))


async def _garbage(_received: Received, writer: asyncio.StreamWriter) -> None:
    writer.write(b"\x00\x01 hello\r\n\r\n")


async def _cut(_received: Received, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
    await writer.drain()
    writer.close()


async def _slam(_received: Received, writer: asyncio.StreamWriter) -> None:
    writer.close()


@pytest.mark.parametrize("answer", [_garbage, _cut, _slam])
def test_a_broken_answer_says_that_the_request_may_have_arrived(send: Callable[..., Reply], answer: Any) -> None:
    with serving(answer) as server, pytest.raises(ConnectionFailedError) as caught:
        send(OutgoingRequest("POST", server.url(), body=b"x"))
    assert caught.value.written is True


def test_a_closed_port_says_that_nothing_was_written(send: Callable[..., Reply]) -> None:
    with serving(reply()) as server:
        pass
    with pytest.raises(ConnectionFailedError, match=r"127\.0\.0\.1 port \d+ does not accept connections") as caught:
        send(OutgoingRequest("POST", server.url(), body=b"x"))
    assert caught.value.written is False


def test_an_unknown_name_says_so(send: Callable[..., Reply]) -> None:
    with pytest.raises(ConnectionFailedError, match=r"The host name crm\.example\.com is not known") as caught:
        send(OutgoingRequest("GET", "http://crm.example.com/?token=s3cret"), names=StubNames())
    assert caught.value.written is False
    assert "s3cret" not in str(caught.value)


@pytest.fixture
def own_certificate(tmp_path: Path) -> ssl.SSLContext:
    """A certificate that nobody but its maker trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    day = dt.datetime.now(dt.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), day, day + dt.timedelta(days=1))
    certificate = builder.sign(key, hashes.SHA256())
    pem = Encoding.PEM
    path = tmp_path / "server.pem"
    path.write_bytes(certificate.public_bytes(pem) + key.private_bytes(pem, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


def test_a_certificate_that_is_not_trusted_ends_the_call(send: Callable[..., Reply], own_certificate: ssl.SSLContext) -> None:
    with (
        serving(reply(), tls=own_certificate) as server,
        pytest.raises(ConnectionFailedError, match=r"certificate of 127\.0\.0\.1") as caught,
    ):
        send(OutgoingRequest("POST", server.url().replace("http:", "https:"), body=b"secret"))
    assert caught.value.written is False
    assert server.received == []


def test_redirects_are_not_followed_unless_asked(send: Callable[..., Reply]) -> None:
    with serving(reply("302 Found", Location="/next")) as server:
        assert send(OutgoingRequest("GET", server.url())).headers["Location"] == "/next"
    assert [received.line for received in server.received] == ["GET / HTTP/1.1"]


def test_a_redirect_to_an_inner_address_is_refused(send: Callable[..., Reply]) -> None:
    with serving(reply("302 Found", Location="http://169.254.169.254/latest/")) as server, pytest.raises(AddressRefusedError):
        send(OutgoingRequest("GET", server.url(), allow_redirects=True))


@pytest.mark.parametrize(
    "target", ["file:///etc/passwd", "ftp://127.0.0.1/", "http://u:p@127.0.0.1/", "http://[::1", "http://localhost\\@x/"]
)
def test_a_redirect_is_checked_as_a_first_address_is(send: Callable[..., Reply], target: str) -> None:
    with serving(reply("302 Found", Location=target)) as server, pytest.raises(RefusedError):
        send(OutgoingRequest("GET", server.url(), allow_redirects=True))


def test_a_redirect_to_another_site_carries_no_credentials(send: Callable[..., Reply]) -> None:
    with serving(reply(body=b"there")) as other, serving(reply("307 Temporary Redirect", Location=other.url("/there"))) as server:
        headers = {"Authorization": "Bearer x", "Cookie": "a=1", "X-Api-Key": "k", "Content-Type": "text/plain"}
        got = send(OutgoingRequest("POST", server.url(), headers=headers, body=b"data", allow_redirects=True))
    assert (got.body, got.url) == (b"there", other.url("/there"))
    [received] = other.received
    assert (received.line, received.body, received.headers["content-type"]) == ("POST /there HTTP/1.1", b"data", "text/plain")
    assert not {"authorization", "cookie", "x-api-key"} & set(received.headers)


def test_a_redirect_within_the_site_keeps_credentials_and_turns_a_post_into_get(send: Callable[..., Reply]) -> None:
    async def answer(received: Received, writer: asyncio.StreamWriter) -> None:
        await (reply(body=b"done") if received.line == "GET /a/done HTTP/1.1" else reply("303 See Other", Location="done"))(
            received, writer
        )

    with serving(answer) as server:
        got = send(OutgoingRequest("POST", server.url("/a/b"), headers={"Authorization": "Bearer x"}, json={"a": 1}, allow_redirects=True))
    assert (got.status, got.body) == (200, b"done")
    last = server.received[-1]
    assert (last.line.split()[0], last.body, last.headers["authorization"]) == ("GET", b"", "Bearer x")
    assert "content-type" not in last.headers


def test_endless_redirects_end(send: Callable[..., Reply]) -> None:
    with serving(reply("302 Found", Location="/")) as server, pytest.raises(RefusedError, match="More than 5 redirects"):
        send(OutgoingRequest("GET", server.url(), allow_redirects=True))
    assert len(server.received) == 6


def test_cookies_are_not_kept(send: Callable[..., Reply]) -> None:
    client = OutgoingClient()
    with serving(reply(Set_Cookie="a=1; Path=/")) as server:
        for _time in range(2):
            loop.run(client.send(OutgoingRequest("GET", server.url()), LOOPBACK))
    loop.run(client.close())
    assert "cookie" not in server.received[1].headers


@pytest.mark.django_db
def test_an_inner_system_is_open_once_the_owner_allows_it(settings: Settings) -> None:
    settings.OUTGOING_ALLOW = []
    with serving(reply(body=b"crm")) as server:
        request = OutgoingRequest("GET", server.url())
        with pytest.raises(AddressRefusedError, match="Allowed inner addresses"):
            fetch_sync(request)
        wrong_port = AllowedAddress.objects.create(target="127.0.0.1", port=1, note="CRM")
        with pytest.raises(AddressRefusedError):
            fetch_sync(request)
        wrong_port.port = server.port
        wrong_port.save()
        assert fetch_sync(request).body == b"crm"
        wrong_port.delete()
        with pytest.raises(AddressRefusedError):
            fetch_sync(request)


def test_the_environments_allow_list_asks_no_database(settings: Settings) -> None:
    with serving(reply(body=b"crm")) as server:
        settings.OUTGOING_ALLOW = [f"127.0.0.1:{server.port}"]
        assert fetch_sync(OutgoingRequest("GET", server.url())).body == b"crm"


@pytest.mark.django_db(transaction=True)
def test_the_stored_allow_list_works_from_an_event_loop(settings: Settings) -> None:
    settings.OUTGOING_ALLOW = []
    AllowedAddress.objects.create(target="localhost", note="CRM")

    async def calls(server: Server) -> list[Reply]:
        replies = await asyncio.gather(*(fetch(OutgoingRequest("GET", server.url(host="localhost"))) for _number in range(20)))
        with pytest.raises(AddressRefusedError):
            await fetch(OutgoingRequest("GET", server.url()))
        return replies

    with serving(reply(body=b"crm")) as server:
        assert [got.body for got in asyncio.run(calls(server))] == [b"crm"] * 20


@pytest.mark.django_db
def test_the_allow_list_is_kept_between_calls(
    settings: Settings,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    AllowedAddress.objects.create(target="localhost", note="CRM")
    settings.OUTGOING_ALLOW = []
    settings.CACHE_CHECK_SECONDS = 60
    allowlist.forget()
    with serving(reply()) as server:
        request = OutgoingRequest("GET", server.url(host="localhost"))
        fetch_sync(request)
        with django_assert_num_queries(0):
            fetch_sync(request)


async def test_a_cancelled_call_is_stopped() -> None:
    with serving(_hang) as server:
        task = asyncio.create_task(fetch(OutgoingRequest("GET", server.url(), timeout=30)))
        while not server.received:  # noqa: ASYNC110  the server runs in another thread
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_fifty_calls_run_at_the_same_time() -> None:
    async def slow(received: Received, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.3)
        await reply(body=b"ok")(received, writer)

    with serving(slow) as server:
        started = time.monotonic()
        replies = await asyncio.gather(*(fetch(OutgoingRequest("GET", server.url())) for _number in range(50)))
    assert [got.body for got in replies] == [b"ok"] * 50
    assert time.monotonic() - started < 8  # one after the other: 15


def test_a_client_can_be_closed_from_another_loop() -> None:
    client = OutgoingClient()
    with serving(reply()) as server:
        loop.run(client.send(OutgoingRequest("GET", server.url()), LOOPBACK))
        asyncio.run(client.close())
        assert loop.run(client.send(OutgoingRequest("GET", server.url()), LOOPBACK)).status == 200
        assert server.connections == 2
    loop.run(client.close())


def test_errors_never_quote_the_address(send: Callable[..., Reply]) -> None:
    for url in ("http://u:hunter2@x/", "http://x:y/?token=hunter2", "http://127.0.0.1:1/?token=hunter2", "http://10.0.0.1/hunter2"):
        with pytest.raises(OutgoingError) as caught:
            send(OutgoingRequest("GET", url, headers={"Authorization": "hunter2"}), names=StubNames())
        assert "hunter2" not in str(caught.value)
