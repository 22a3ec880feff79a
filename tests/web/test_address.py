"""The client's address: the peer, or what a listed proxy says from the right; garbage is nothing.

Limits count an IPv6 client by its /64 and an IPv4 address, mapped or not, by itself.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airelays_app.store.address_groups import group_named
from airelays_app.web.address import TrustedProxies, client_address

NOBODY = TrustedProxies()
PROXIES = TrustedProxies.parse(["10.0.0.0/8", "::1", "127.0.0.1"])


def text_of(peer, forwarded, proxies=PROXIES):
    return client_address(peer, forwarded, proxies).text


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("10.0.0.1", None, "10.0.0.1"),
        ("192.168.1.5", "1.2.3.4", "192.168.1.5"),
        ("10.0.0.1", "1.2.3.4", "1.2.3.4"),
        ("10.0.0.1", "6.6.6.6, 1.2.3.4", "1.2.3.4"),
        ("10.0.0.1", "6.6.6.6, 1.2.3.4, 10.9.9.9", "1.2.3.4"),
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("::1", "2001:db8::7", "2001:db8::7"),
        ("::ffff:10.0.0.1", "1.2.3.4", "1.2.3.4"),
        ("10.0.0.1", "[2001:db8::7]:4711", "2001:db8::7"),
        ("10.0.0.1", "1.2.3.4:4711", "1.2.3.4"),
        ("10.0.0.1", "::ffff:1.2.3.4", "1.2.3.4"),
        ("10.0.0.1", "1.2.3.4, unknown", "10.0.0.1"),
        ("10.0.0.1", "1.2.3.4, <script>, 10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", ",,,", "10.0.0.1"),
        ("fe80::1%eth0", None, "fe80::1"),
        ("", None, "unix"),
        ("", "1.2.3.4", "unix"),
        (None, None, "unix"),
    ],
)
def test_the_right_most_unlisted_hop_is_the_client(peer, forwarded, expected):
    assert text_of(peer, forwarded) == expected


def test_nobody_is_believed_unless_listed():
    assert text_of("127.0.0.1", "1.2.3.4", NOBODY) == "127.0.0.1"


def test_a_proxy_on_a_unix_socket_can_be_listed():
    assert text_of("", "1.2.3.4", TrustedProxies.parse(["unix"])) == "1.2.3.4"


@pytest.mark.parametrize(
    ("address", "group"),
    [
        ("192.168.1.5", "192.168.1.5"),
        ("::ffff:192.168.1.5", "192.168.1.5"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::/64", "2001:db8:1:2::/64"),
        ("::1", "::/64"),
        ("unix", "unix"),
    ],
)
def test_an_owner_finds_the_group_of_an_address(address, group):
    assert group_named(address) == group


@pytest.mark.parametrize("nonsense", ["", "localhost", "1.2.3", "10.0.0.1/8"])
def test_what_is_no_address_has_no_group(nonsense):
    with pytest.raises(ValueError, match=r"address|network|appear|host bits"):
        group_named(nonsense)


@given(st.text(max_size=80))
def test_any_header_is_survived(forwarded):
    address = client_address("10.0.0.1", forwarded, PROXIES)
    assert address.group


def test_a_very_long_header_is_read_from_the_right():
    assert text_of("10.0.0.1", "6.6.6.6," * 5000 + "1.2.3.4") == "1.2.3.4"
