"""One rule for mail addresses."""

import pytest

from idp.accounts.mail_addresses import NotAnAddress, read


@pytest.mark.security("OR-08")
@pytest.mark.parametrize(
    ("typed", "address", "key"),
    [
        ("Zoe.Ravoux@Exemple.FR", "Zoe.Ravoux@exemple.fr", "zoe.ravoux@exemple.fr"),
        (" zoe@exemple.fr\u00a0", "zoe@exemple.fr", "zoe@exemple.fr"),
        ("nom+75@exemple.fr", "nom+75@exemple.fr", "nom+75@exemple.fr"),
        ("zoe@été.fr", "zoe@xn--t-9fab.fr", "zoe@xn--t-9fab.fr"),
        ("zoe@ÉTÉ.fr", "zoe@xn--t-9fab.fr", "zoe@xn--t-9fab.fr"),
        ("zoe@e\u0301te\u0301.fr", "zoe@xn--t-9fab.fr", "zoe@xn--t-9fab.fr"),
        ("zoe@xn--t-9fab.fr", "zoe@xn--t-9fab.fr", "zoe@xn--t-9fab.fr"),
    ],
)
def test_the_domain_is_ascii_and_lower_case_and_the_case_of_the_local_part_is_kept_for_sending(
    typed: str, address: str, key: str
) -> None:
    assert (read(typed).address, read(typed).key) == (address, key)


@pytest.mark.security("OR-08")
def test_a_plus_tag_makes_another_address() -> None:
    assert read("nom+75@exemple.fr").key != read("nom@exemple.fr").key


@pytest.mark.security("LG-14", "ML-02")
def test_a_look_alike_domain_shows_itself_and_is_another_address() -> None:
    assert read("zoe@exemрle.fr").address.startswith("zoe@xn--")


@pytest.mark.security("OR-08", "ML-01", "ML-02", "LG-14")
@pytest.mark.parametrize(
    "typed",
    [
        "",
        "zoe",
        "zoe@",
        "@exemple.fr",
        "zoe@exemple",
        "zoe@exemple.fr.",
        '"zoe ravoux"@exemple.fr',
        "zoé@exemple.fr",
        "zоe@exemple.fr",
        "a@x.fr,b@y.fr",
        "a@x.fr;b@y.fr",
        "a@x.fr>,<b@y.fr",
        "Zoé <a@x.fr>",
        "a@x.fr\nBcc: b@y.fr",
        "a@x.fr\r\n",
        "a@[127.0.0.1]",
        "a b@x.fr",
        "a@x.fr\0",
        "\u200ba@x.fr",
        "a" * 250 + "@exemple.fr",
        "a" * 1_000_000,
    ],
)
def test_anything_but_one_plain_address_is_refused(typed: str) -> None:
    with pytest.raises(NotAnAddress, match="nom@exemple"):
        read(typed)
