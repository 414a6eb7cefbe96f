"""The mails, as a mail program reads them."""

import re
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from itertools import pairwise

import html5lib
import pytest

from idp.delivery.channel import Envelope
from idp.delivery.mailings import CodeMailing, Mailing, NoticeMailing, Recipient
from idp.delivery.message import MessageBuilder
from idp.delivery.wording import Wordings
from tests.idp.delivery.conftest import (
    BY_POST,
    CONTACT,
    IDENTIFIER,
    NUMBER,
    PASSWORD,
    identifier_mailing,
    message_builder,
    password_mailing,
    t,
)

AT = 1_795_532_400  # 24 November 2026, 16:00 in Paris
CODE = CodeMailing("a" * 32, "odile@bailleur.example", "482913", 1800)
NOTICE = NoticeMailing("a" * 32, "code_deja", "odile@bailleur.example")
EVERY = [identifier_mailing(), password_mailing(), password_mailing(recovery=True), CODE, NOTICE]
SECRETS = {"identifiant": IDENTIFIER, "mot-de-passe": PASSWORD, "code": "482913"}


def received(mailing: Mailing) -> EmailMessage:
    """The mail, made, sent as bytes and read again."""
    raw = message_builder().message(Envelope("e" * 32, "<e@idp.example>", mailing, AT)).as_bytes()
    mail = BytesParser(policy=policy.default).parsebytes(raw)
    assert isinstance(mail, EmailMessage)
    return mail


def part(mail: EmailMessage, kind: str) -> str:
    body = mail.get_body((kind,))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n")


def values(text: str) -> dict[str, str]:
    lines = [line for line in text.split("\n") if line]
    labels = ("Identifiant", "Mot de passe provisoire", "Numéro utilisateur", "Code")
    return {label: value for label, value in pairwise(lines) if label in labels}


def test_the_headers_are_those_of_an_automatic_mail_to_one_person() -> None:
    mail = received(identifier_mailing())
    assert mail["X-MCP-Envoi"] == "identifiant"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Message-ID"] == "<e@idp.example>"
    assert mail["Date"] == "Tue, 24 Nov 2026 15:00:00 +0000"
    assert mail["From"] == "Mon Compte Partenaire <ne-pas-repondre@idp.example>"
    assert mail["To"] == "odile.lefevre@bailleur.example"
    assert mail["Cc"] is mail["Bcc"] is None
    assert mail["Subject"] == "Votre identifiant Mon Compte Partenaire"
    assert mail.get_content_type() == "multipart/alternative"
    assert [type_.get_content_type() for type_ in mail.iter_parts()] == ["text/plain", "text/html"]


def test_each_value_stands_alone_on_the_line_after_its_label() -> None:
    assert values(part(received(identifier_mailing()), "plain")) == {
        "Identifiant": IDENTIFIER,
        "Numéro utilisateur": NUMBER,
    }
    for mailing in (password_mailing(), password_mailing(recovery=True)):
        found = values(part(received(mailing), "plain"))
        assert found == {"Mot de passe provisoire": PASSWORD, "Numéro utilisateur": NUMBER}
    assert values(part(received(CODE), "plain")) == {"Code": "482913"}


@pytest.mark.security("PW-13")
@pytest.mark.parametrize("mailing", EVERY, ids=lambda mailing: mailing.envoi)
def test_a_mail_holds_its_own_secret_only_and_none_in_its_headers(mailing: Mailing) -> None:
    mail = received(mailing)
    headers = "".join(f"{name}: {value}\n" for name, value in mail.items())
    for kind, secret in SECRETS.items():
        assert secret not in headers
        for body in ("plain", "html"):
            assert (secret in part(mail, body)) == (kind == mailing.envoi)


@pytest.mark.parametrize("mailing", EVERY, ids=lambda mailing: mailing.envoi)
def test_nothing_in_a_mail_follows_its_reader(mailing: Mailing) -> None:
    html = part(received(mailing), "html")
    tree = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(html)
    assert tree.get("lang") == "fr"
    assert not [element.tag for element in tree.iter() if element.tag in ("a", "img", "link", "script", "iframe")]
    assert not re.search(r"https?:|url\(|src=|@import", html)


@pytest.mark.parametrize("mailing", EVERY, ids=lambda mailing: mailing.envoi)
def test_the_text_part_is_narrow_french_and_ends_with_the_footer(mailing: Mailing) -> None:
    text = part(received(mailing), "plain")
    assert max(map(len, text.split("\n"))) <= 78
    assert not re.search(r" [;:!?»]|« |\w'\w|[Vv]euillez", text)
    assert "Il ne contient aucun suivi de lecture" in text


def test_the_deadline_is_a_day_and_an_hour_in_paris() -> None:
    mailing = password_mailing(expires_at=AT + 7 * 86400)
    text = " ".join(part(received(mailing), "plain").replace("\u00a0", " ").split())
    assert "jusqu’au 1er décembre 2026 à 16 h 00" in text


def test_the_code_tells_how_long_it_lives() -> None:
    assert "Il est valable 30 minutes." in part(received(CODE), "plain").replace("\u00a0", " ")


def test_the_mail_to_an_organisation_names_it_and_tells_who_becomes_administrator() -> None:
    moral = identifier_mailing(partner_type="moral", organisation_name="SCI <Les Œillets> & Cie")
    mail = received(moral)
    assert "SCI <Les Œillets> & Cie" in part(mail, "plain")
    assert "SCI &lt;Les Œillets&gt; &amp; Cie" in part(mail, "html")
    assert "administrateur" not in part(received(identifier_mailing()), "plain")


@pytest.mark.security("ML-01")
def test_a_value_can_make_neither_a_header_nor_a_label_nor_a_paragraph() -> None:
    hostile = "SCI\r\nBcc: b@y.fr\nCode\n000000 | Mot de passe provisoire\nXXXX"
    told = NoticeMailing(None, "admin", "odile@bailleur.example", {"organisme": hostile, "siret": "1"})
    for mail in (
        received(told),
        received(identifier_mailing(partner_type="moral", organisation_name=hostile)),
    ):
        assert mail["Bcc"] is None
        assert mail["To"] == str(mail["To"].addresses[0])
        assert "Code" not in values(part(mail, "plain"))
        assert "Mot de passe provisoire" not in values(part(mail, "plain"))


@pytest.mark.security("ML-02")
def test_the_longest_address_stays_one_recipient_through_folding() -> None:
    longest = "l" * 64 + "@" + ".".join(["d" * 60] * 2) + ".example"
    mail = received(CodeMailing("a", longest, "482913", 1800))
    assert [address.addr_spec for address in mail["To"].addresses] == [longest]


def test_a_wrong_sender_is_refused_at_start() -> None:
    with pytest.raises(ValueError, match="IDP_MAIL_FROM"):
        MessageBuilder(Wordings(t, CONTACT), "Mon Compte Partenaire")


def test_a_recipient_without_an_address_is_never_mailed() -> None:
    with pytest.raises(ValueError, match="without an address"):
        message_builder().message(Envelope("e", "<e@idp.example>", identifier_mailing(BY_POST), AT))


def test_a_sub_address_is_kept() -> None:
    assert received(identifier_mailing(Recipient("O", "o+75@bailleur.example")))["To"] == "o+75@bailleur.example"
