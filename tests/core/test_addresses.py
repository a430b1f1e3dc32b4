import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.addresses import AllowRule, allows, is_public, unwrap

PUBLIC = ["8.8.8.8", "93.184.216.34", "1.1.1.1", "2606:4700:4700::1111", "64:ff9b::808:808", "::ffff:8.8.8.8", "2002:808:808::1"]
INNER = [
    "0.0.0.0",  # noqa: S104  judged, not listened on
    "10.0.0.1",
    "127.0.0.1",
    "100.64.0.1",
    "169.254.1.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.1.1.1",
    "240.0.0.1",
    "255.255.255.255",
    "168.63.129.16",
    "::",
    "::1",
    "::ffff:10.0.0.1",
    "::ffff:0:10.0.0.1",
    "::10.0.0.1",
    "64:ff9b::10.0.0.1",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:a00:1::1",
    "2002:7f00:1::",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd12::1",
    "fe80::1",
    "fec0::1",
    "ff02::1",
    "fe80::1%1",
    "2606:4700:4700::1111%eth0",
]


@pytest.mark.parametrize("text", PUBLIC)
def test_public_addresses(text: str) -> None:
    assert is_public(ipaddress.ip_address(text))


@pytest.mark.parametrize("text", INNER)
def test_inner_addresses(text: str) -> None:
    assert not is_public(ipaddress.ip_address(text))


@given(st.ip_addresses(v=4))
def test_a_carried_address_is_as_public_as_itself(address: ipaddress.IPv4Address) -> None:
    number = int(address)
    mapped = ipaddress.IPv6Address((0xFFFF << 32) | number)
    nat64 = ipaddress.IPv6Address((0x64FF9B << 96) | number)
    six_to_four = ipaddress.IPv6Address((0x2002 << 112) | (number << 80))
    expected = is_public(address)
    assert [is_public(carrier) for carrier in (mapped, nat64, six_to_four)] == [expected] * 3


def test_teredo_carries_two_addresses() -> None:
    address = ipaddress.ip_address("2001:0:4136:e378:8000:63bf:3fff:fdd2")
    assert [str(carried) for carried in unwrap(address)] == [str(address), "65.54.227.120", "192.0.2.45"]


@pytest.mark.parametrize(
    ("text", "host", "network", "port"),
    [
        ("crm.internal", "crm.internal", None, None),
        ("CRM.Internal.:8080", "crm.internal", None, 8080),
        ("10.0.0.5", "", "10.0.0.5/32", None),
        ("10.0.0.5:443", "", "10.0.0.5/32", 443),
        ("10.0.0.0/8", "", "10.0.0.0/8", None),
        ("10.0.0.0/8:81", "", "10.0.0.0/8", 81),
        ("::1", "", "::1/128", None),
        ("[::1]", "", "::1/128", None),
        ("[::1]:8080", "", "::1/128", 8080),
        ("[fd00::/8]:8080", "", "fd00::/8", 8080),
        ("fd00::/8", "", "fd00::/8", None),
        (" crm_1:80 ", "crm_1", None, 80),
    ],
)
def test_rules_are_read(text: str, host: str, network: str | None, port: int | None) -> None:
    assert AllowRule.parse(text) == AllowRule(host=host, network=ipaddress.ip_network(network) if network else None, port=port)


@pytest.mark.parametrize(
    "text", ["", ":80", "a b", "http://crm", "10.0.0.1/8", "10.0.0.0/33", "crm:0", "crm:65536", "crm:x", "-crm", "a..b", "*", "[x]:1"]
)
def test_a_wrong_rule_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is (neither|no)|Write the host"):
        AllowRule.parse(text)


@pytest.mark.parametrize(
    ("rule", "host", "port", "address", "allowed"),
    [
        ("crm.internal", "CRM.internal.", 80, "10.0.0.1", True),
        ("crm.internal", "x.crm.internal", 80, "10.0.0.1", False),
        ("crm.internal:81", "crm.internal", 80, "10.0.0.1", False),
        ("10.0.0.0/8", "any", 80, "10.9.9.9", True),
        ("10.0.0.0/8", "any", 80, "::ffff:10.9.9.9", True),
        ("10.0.0.0/8", "any", 80, "11.0.0.1", True),
        ("10.0.0.0/8", "any", 80, "192.168.0.1", False),
        ("0.0.0.0/0", "any", 80, "169.254.169.254", False),
        ("metadata.google.internal", "metadata.google.internal", 80, "169.254.169.254", False),
    ],
)
def test_what_a_rule_opens(rule: str, host: str, port: int, address: str, allowed: bool) -> None:  # noqa: FBT001  a parameter of the test
    assert allows([AllowRule.parse(rule)], host=host, port=port, address=ipaddress.ip_address(address)) is allowed
