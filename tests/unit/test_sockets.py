"""An address is bound before anything else starts, and refused in one line."""

from __future__ import annotations

import errno
import socket

import pytest

from mockforge.errors import AddressError
from mockforge.sockets import listen


def test_port_0_takes_a_free_port_that_can_be_connected_to() -> None:
    with listen("127.0.0.1", 0) as sock:
        host, port = sock.getsockname()
        assert port > 0
        assert not sock.getblocking()
        socket.create_connection((host, port), timeout=5).close()


def test_a_port_in_use_is_named_with_what_would_work() -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(AddressError) as refused:
            listen("127.0.0.1", port)
    assert str(refused.value).startswith(f"127.0.0.1:{port} is in use (")
    assert "--port" in str(refused.value)


@pytest.mark.parametrize(
    ("host", "port", "why"),
    [
        ("192.0.2.1", 0, "192.0.2.1:0 is not an address of this machine (choose a --host of this machine)"),
        ("127.0.0.1", 70_000, "127.0.0.1:70000 cannot be used: "),
        ("127.0.0.1", -1, "127.0.0.1:-1 cannot be used: "),
        ("a..b", 0, "a..b:0 cannot be used: "),
    ],
)
def test_an_address_that_cannot_be_is_one_line(host: str, port: int, why: str) -> None:
    with pytest.raises(AddressError) as refused:
        listen(host, port)
    assert str(refused.value).startswith(why)
    assert "\n" not in str(refused.value)


def test_a_port_that_takes_rights_says_which_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    def bind(sock: socket.socket, address: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(socket.socket, "bind", bind)
    with pytest.raises(AddressError, match=r"^127\.0\.0\.1:80 may not be used .*choose a --port above 1023"):
        listen("127.0.0.1", 80)


def test_a_refused_address_leaves_no_socket_open(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[socket.socket] = []
    plain = socket.socket

    def remembering(*args: int) -> socket.socket:
        made.append(plain(*args))
        return made[-1]

    monkeypatch.setattr("mockforge.sockets.socket.socket", remembering)
    with pytest.raises(AddressError):
        listen("192.0.2.1", 0)
    assert [sock.fileno() for sock in made] == [-1]


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6 here")
def test_a_host_with_colons_is_ipv6() -> None:
    try:
        sock = listen("::1", 0)
    except AddressError:
        pytest.skip("no IPv6 loopback here")
    with sock:
        assert sock.family == socket.AF_INET6
