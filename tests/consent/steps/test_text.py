"""Third and last steps: reading a text, accepting it, refusing it."""

from typing import Any

import pytest
from sqlalchemy.orm import Session

from consent.documents import Documents
from tests.conftest import Clock
from tests.consent.house import Browser, House

RULES = "/premiere-connexion/regles-d-usage"
TERMS = "/premiere-connexion/conditions-d-utilisation"
REFUSAL = "/premiere-connexion/refus"
DONE = "/premiere-connexion/terminee"


@pytest.fixture
def reader(house: House) -> Browser:
    """Somebody in the first login who has only the texts left."""
    house.add_finished(completed=0)
    return house.browser()


def text(answer: Any) -> str:
    return str(answer.get_data(as_text=True))


def proofs(house: House, account_id: str = "a1") -> list[tuple[str, str]]:
    def read(documents: Documents) -> list[tuple[str, str]]:
        return [(proof.document, proof.version) for proof in documents.acceptances(account_id)]

    found: list[tuple[str, str]] = house.in_session(read)
    return found


def test_the_whole_text_is_readable_before_accepting_and_refusing_is_as_easy(reader: Browser) -> None:
    page = text(reader.get(RULES))
    assert "<p>Texte 1</p>" in page
    assert "app.etape|n=3|total=4" in page
    assert "checked" not in page
    assert page.index("<p>Texte 1</p>") < page.index('name="accepter"')
    assert "e3.bouton" in page
    assert '<button type="submit" class="bouton" name="refuser"' in page
    assert "gate.refus_possible" in page
    assert 'href="/textes/regles-d-usage/1"' in page


def test_accepting_both_texts_makes_the_account_ready(reader: Browser, house: House) -> None:
    assert reader.accept("regles-d-usage").location == TERMS
    assert house.completions == []
    assert "app.derniere_etape" in text(reader.get(TERMS))
    answer = reader.accept("conditions-d-utilisation")
    assert (answer.status_code, answer.location) == (303, DONE)
    assert house.completions == ["a1"]
    assert proofs(house) == [("conditions-d-utilisation", "1"), ("regles-d-usage", "1")]
    assert house.recorded.names == [
        "gate.acceptance_recorded",
        "gate.step_completed",
        "gate.acceptance_recorded",
        "gate.step_completed",
        "gate.completed",
    ]
    assert house.recorded[-1] == ("gate.completed", {"account_id": "a1", "first_login": True})
    page = text(reader.get(DONE))
    assert "fin.texte|mail=a1@exemple.fr" in page
    assert "fin.bouton|service=Espace bailleur" in page
    assert 'href="/bureau"' in page
    assert "fin.admin" not in page


def test_the_proof_holds_the_hash_shown_and_the_request(reader: Browser, house: House) -> None:
    shown = reader.hash_shown(RULES)
    reader.accept("regles-d-usage")
    with Session(house.engine) as session:
        [proof] = Documents(lambda: session, house.clock, house.recorded.record).acceptances("a1")
        assert (proof.sha256, proof.request_id, proof.ip) == (shown, "request-1", "127.0.0.1")


def test_an_unticked_box_is_an_error(reader: Browser, house: House) -> None:
    answer = reader.post(RULES, empreinte=reader.hash_shown(RULES))
    assert answer.status_code == 422
    assert '<a href="#accepter">e3.erreur</a>' in text(answer)
    assert proofs(house) == []


@pytest.mark.security("GA-08")
@pytest.mark.parametrize("stale", ["", "0" * 64, "a\0b", "x" * 200_000])
def test_accepting_another_text_than_the_one_shown_is_refused(reader: Browser, house: House, stale: str) -> None:
    answer = reader.post(RULES, accepter="oui", empreinte=stale)
    assert answer.status_code == 422
    assert "gate.version_changee" in text(answer)
    assert proofs(house) == []


@pytest.mark.security("GA-08")
def test_a_version_published_while_reading_is_shown_and_must_be_accepted_itself(reader: Browser, house: House) -> None:
    shown = reader.hash_shown(RULES)
    house.publish("regles-d-usage", "2")
    answer = reader.post(RULES, accepter="oui", empreinte=shown)
    assert answer.status_code == 422
    assert "<p>Texte 2</p>" in text(answer)
    assert shown not in text(answer)
    assert reader.accept("regles-d-usage").location == TERMS
    assert proofs(house) == [("regles-d-usage", "2")]


@pytest.mark.security("GA-08")
def test_reading_accepts_nothing(reader: Browser, house: House) -> None:
    shown = reader.hash_shown(RULES)
    reader.get(f"{RULES}?accepter=oui&empreinte={shown}")
    assert proofs(house) == []


@pytest.mark.security("GA-08")
def test_a_form_that_does_not_come_from_our_page_is_refused(reader: Browser, house: House) -> None:
    shown = reader.hash_shown(RULES)
    house.app.config["WTF_CSRF_ENABLED"] = True
    for path, fields in (
        (RULES, {"accepter": "oui", "empreinte": shown}),
        (RULES, {"refuser": "1"}),
        (f"{REFUSAL}?texte=regles-d-usage", {"retour": "1"}),
    ):
        answer = reader.post(path, **fields)
        assert answer.status_code == 422
        assert "<li>page.csrf</li>" in text(answer)
    assert proofs(house) == []
    assert house.refusals == []
    assert "gate.refused" not in house.recorded.names


@pytest.mark.security("GA-11")
def test_a_double_click_leaves_one_proof_and_leads_to_the_same_page(reader: Browser, house: House) -> None:
    shown = reader.hash_shown(RULES)
    assert reader.post(RULES, accepter="oui", empreinte=shown).location == TERMS
    assert reader.post(RULES, accepter="oui", empreinte=shown).location == f"{TERMS}?reprise=1"
    shown = reader.hash_shown(TERMS)
    assert reader.post(TERMS, accepter="oui", empreinte=shown).location == DONE
    assert reader.post(TERMS, accepter="oui", empreinte=shown).location == DONE
    assert house.completions == ["a1"]
    assert len(proofs(house)) == 2


def test_refusing_is_explained_and_leads_back_to_the_service(reader: Browser, house: House) -> None:
    answer = reader.post(RULES, refuser="1")
    assert (answer.status_code, answer.location) == (303, f"{REFUSAL}?texte=regles-d-usage")
    assert house.recorded == [("gate.refused", {"account_id": "a1", "document": "regles-d-usage", "version": "1"})]
    page = text(reader.get(answer.location))
    assert f'href="{RULES}"' in page
    assert 'href="/deconnexion"' in page
    assert "app.retour_service|service=Espace bailleur" in page
    assert house.refusals == []
    answer = reader.post(answer.location, retour="1")
    assert (answer.status_code, answer.location) == (303, "https://service.example/retour?error=access_denied")
    assert house.refusals == ["regles-d-usage"]


def test_refusing_without_a_service_that_waits_offers_no_way_back_to_it(reader: Browser, house: House) -> None:
    house.service = None
    assert "<button" not in text(reader.get(f"{REFUSAL}?texte=regles-d-usage"))


def test_whoever_refused_may_come_back_and_accept(reader: Browser, house: House) -> None:
    reader.post(RULES, refuser="1")
    assert reader.get(DONE).location == f"{RULES}?reprise=1"
    assert reader.accept("regles-d-usage").location == TERMS


@pytest.mark.parametrize("texte", ["conditions-d-utilisation", "", "autre", "%00"])
def test_the_refusal_page_speaks_of_the_text_that_is_due_only(reader: Browser, texte: str) -> None:
    assert reader.get(f"{REFUSAL}?texte={texte}").location == f"{RULES}?reprise=1"


def test_the_refusal_page_is_not_for_whoever_has_another_step_or_none(house: House) -> None:
    house.add()
    answer = house.browser().get(f"{REFUSAL}?texte=regles-d-usage")
    assert answer.location == "/premiere-connexion/informations?reprise=1"
    house.add_finished("a2")
    browser = house.browser("a2")
    browser.accept("regles-d-usage")
    browser.accept("conditions-d-utilisation")
    assert browser.get(f"{REFUSAL}?texte=regles-d-usage").location == "/bureau"


def test_a_new_version_is_asked_alone_and_says_what_changes(reader: Browser, house: House) -> None:
    reader.accept("regles-d-usage")
    reader.accept("conditions-d-utilisation")
    house.publish("conditions-d-utilisation", "2", changes="L’article 7 est précisé.")
    page = text(reader.get(TERMS))
    assert "maj.titre|texte=e4.titre" in page
    assert f"maj.texte|date=jour {house.clock()}|changements=L’article 7 est précisé." in page
    assert "app.etape|" not in page
    assert reader.get(RULES).location == f"{TERMS}?reprise=1"
    assert "gate.reprise" in text(reader.get(f"{TERMS}?reprise=1"))
    assert reader.accept("conditions-d-utilisation").location == "/bureau"
    assert reader.get(TERMS).location == "/bureau"
    assert house.recorded[-1] == ("gate.completed", {"account_id": "a1", "first_login": False})


def test_a_new_version_without_summary_says_so_plainly(reader: Browser, house: House) -> None:
    reader.accept("regles-d-usage")
    house.publish("regles-d-usage", "2")
    assert "maj.sans_resume" in text(reader.get(RULES))


def test_a_version_to_come_is_not_asked_before_its_day(reader: Browser, house: House, clock: Clock) -> None:
    house.publish("regles-d-usage", "2", effective_at=clock() + 100)
    assert "<p>Texte 1</p>" in text(reader.get(RULES))
    clock.advance(100)
    assert "<p>Texte 2</p>" in text(reader.get(RULES))
