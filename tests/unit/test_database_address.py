"""A database on another machine is reached over TLS, or its URL says that it is not."""

import pytest
from childlink_bus.database import open_database
from childlink_core.errors import UserError

WHO = "postgresql+psycopg://linker"


@pytest.mark.parametrize(
    "url",
    [
        f"{WHO}@db.example.org/linker",
        f"{WHO}@10.0.0.7:5432/linker",
        f"{WHO}@/linker?host=db-1:5432&host=db-2:5432",
        f"{WHO}@/linker?host=/run/postgresql&host=db-2",
        f"{WHO}@/linker?host=127.0.0.1,db.example.org",
        f"{WHO}@/linker?hostaddr=10.0.0.5",
        f"{WHO}@/linker?service=prod",
        f"{WHO}@127.example.org/linker",
        f"{WHO}@db.example.org/linker?sslmode=prefer",
    ],
)
def test_a_url_of_another_machine_says_whether_the_connection_is_encrypted(url):
    with pytest.raises(UserError, match="does not say whether the connection is encrypted") as told:
        open_database(url)
    assert "sslmode=verify-full" in told.value.remedy


@pytest.mark.parametrize(
    "url",
    [
        f"{WHO}@127.0.0.1:1/linker",
        f"{WHO}@localhost:1/linker",
        f"{WHO}@[::1]:1/linker",
        f"{WHO}@/linker?host=/nowhere",
        f"{WHO}@/linker?host=127.0.0.1:1&host=localhost:1",
        f"{WHO}@127.0.0.1:1/linker?sslmode=disable",
    ],
)
def test_a_socket_and_loopback_need_no_encryption(url):
    with pytest.raises(UserError, match="does not answer"):
        open_database(url)


def test_a_url_may_say_that_it_does_without():
    with pytest.raises(UserError, match="does not answer"):
        open_database(f"{WHO}@database.invalid/linker?sslmode=disable")
