"""The pages of the gate together: order, resume, the pages around the steps."""

from dataclasses import fields
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from consent.account import Account, Ports
from consent.documents import Texts
from consent.models import Acceptance
from consent.step import Done, Page, Visit
from consent.steps import FIRST_LOGIN
from tests.conftest import Clock, Recorded
from tests.consent.house import Browser, House
from tests.consent.test_documents import in_threads

PATHS = [
    "/premiere-connexion/informations",
    "/premiere-connexion/code",
    "/premiere-connexion/mot-de-passe",
    "/premiere-connexion/regles-d-usage",
    "/premiere-connexion/conditions-d-utilisation",
]
INFORMATION, CODE, PASSWORD, RULES, TERMS = PATHS
DONE = "/premiere-connexion/terminee"


def text(answer: Any) -> str:
    return str(answer.get_data(as_text=True))


def test_the_steps_follow_the_leaflet() -> None:
    assert [step.name for step in FIRST_LOGIN] == ["information", "password", "rules_of_use", "terms"]
    assert [step.path for step in FIRST_LOGIN] == [INFORMATION, PASSWORD, RULES, TERMS]


@pytest.mark.security("GA-11")
def test_a_landlord_leaves_after_each_step_and_resumes_where_it_stopped(house: House) -> None:
    house.add()
    browser = house.browser()
    browser.post(INFORMATION, nom="Y", prenom="Zoé", email="zoe@exemple.fr", telephone="")
    assert house.browser().post(CODE, code=house.code()).location == PASSWORD
    chosen = "correct cheval pile agrafe"
    answer = house.browser().post(PASSWORD, nouveau_mot_de_passe=chosen, confirmation=chosen)
    assert answer.location == RULES
    assert house.browser().accept("regles-d-usage").location == TERMS
    assert house.browser().accept("conditions-d-utilisation").location == DONE
    assert house.completions == ["a1"]
    assert [details.get("step") for name, details in house.recorded if name == "gate.step_completed"] == [
        "information",
        "password",
        "rules_of_use",
        "terms",
    ]


@pytest.mark.security("GA-02")
@pytest.mark.parametrize("path", PATHS[2:])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_step_that_is_skipped_leads_to_the_due_one_and_does_nothing(
    newcomer: Browser, house: House, path: str, method: str
) -> None:
    typed = {"accepter": "oui", "nouveau_mot_de_passe": "x" * 30, "confirmation": "x" * 30, "refuser": "1"}
    before = house.person()
    answer = newcomer.client.open(path, method=method, data=typed if method == "POST" else None)
    assert (answer.status_code, answer.location) == (303, f"{INFORMATION}?reprise=1")
    assert "connexion.reprise" in text(newcomer.get(answer.location))
    assert house.person() == before
    assert house.recorded == []


@pytest.mark.security("GA-02")
def test_the_notice_of_resumption_takes_one_value_only(newcomer: Browser) -> None:
    assert "connexion.reprise" not in text(newcomer.get(f"{INFORMATION}?reprise=oui"))


@pytest.mark.security("GA-02")
def test_the_hash_of_a_text_got_elsewhere_does_not_let_anyone_skip(house: House) -> None:
    house.add_finished("a2", completed=0)
    other = house.browser("a2")
    other.accept("regles-d-usage")
    shown = other.hash_shown(TERMS)
    house.add_finished("a1", completed=0)
    answer = house.browser("a1").post(TERMS, accepter="oui", empreinte=shown)
    assert answer.location == f"{RULES}?reprise=1"
    assert house.completions == []


@pytest.mark.security("GA-11")
def test_going_back_to_a_step_that_is_done_leads_to_the_due_one(newcomer: Browser, house: House) -> None:
    house.change(given_name="Zoé", family_name="Y", email="zoe@exemple.fr")
    for path in (INFORMATION, CODE, TERMS):
        assert newcomer.get(path).location == f"{PASSWORD}?reprise=1"
    assert newcomer.post(INFORMATION, nom="Autre").location == f"{PASSWORD}?reprise=1"
    assert house.person().family_name == "Y"


@pytest.mark.security("GA-11")
@pytest.mark.parametrize("path", [*PATHS, DONE, "/premiere-connexion/refus"])
def test_nobody_signed_in_is_sent_to_the_sign_in_page(house: House, path: str) -> None:
    answer = house.browser(None).get(path)
    assert (answer.status_code, answer.location) == (303, "/connexion")


@pytest.mark.parametrize("path", PATHS)
def test_a_closed_account_is_sent_to_the_sign_in_page(newcomer: Browser, house: House, path: str) -> None:
    house.change(closed=True)
    assert newcomer.post(path, refuser="1").location == "/connexion"


@pytest.mark.security("GA-12")
def test_the_account_is_said_to_be_ready_only_once_it_is(newcomer: Browser) -> None:
    assert newcomer.get(DONE).location == f"{INFORMATION}?reprise=1"


def test_the_first_administrator_is_told(house: House) -> None:
    house.service = None
    house.add_finished("m1", partner_type="moral", organisation_name="Logis du Sud")
    browser = house.browser("m1")
    browser.accept("regles-d-usage")
    browser.accept("conditions-d-utilisation")
    page = text(browser.get(DONE))
    assert "fin.admin.titre|organisme=Logis du Sud" in page
    assert 'href="/aide/administrateur"' in page
    assert "app.continuer" in page


def test_without_a_published_text_the_page_says_so_and_what_is_done_stays(empty_house: House) -> None:
    empty_house.add(given_name="Zoé", family_name="Y", email="zoe@exemple.fr")
    browser = empty_house.browser()
    chosen = "correct cheval pile agrafe"
    answer = browser.post(PASSWORD, nouveau_mot_de_passe=chosen, confirmation=chosen)
    assert (answer.status_code, answer.location) == (303, PASSWORD)
    assert empty_house.person().personal == chosen
    for path in (PASSWORD, RULES, DONE, "/premiere-connexion/refus"):
        answer = browser.get(path)
        assert answer.status_code == 503
        assert "gate.texte_absent.texte" in text(answer)
    assert empty_house.completions == []
    empty_house.publish_both()
    assert browser.accept("regles-d-usage").location == TERMS


def test_an_account_closed_during_its_last_step_is_not_completed(
    house: House, clock: Clock, recorded: Recorded
) -> None:
    class Lock:
        """A step during which an administrator closes the account."""

        name, title, path, endpoint = "lock", "titre", "/premiere-connexion/verrou", "consent.verrou"

        def is_due(self, account: Account, _texts: Texts) -> bool:
            return account.is_open

        def pages(self) -> tuple[Page, ...]:
            return (Page(self.path, self.endpoint, self.answer),)

        def answer(self, visit: Visit) -> Done:
            other.change(closed=True)
            return Done()

    other = House(house.engine, clock, recorded, steps=(Lock(),))
    other.add()
    assert other.browser().get(Lock.path).location == "/connexion"
    assert other.completions == []


def test_the_accepted_text_is_shown_as_it_was_alone_on_its_page(house: House, clock: Clock) -> None:
    house.add_finished()
    browser = house.browser()
    browser.accept("regles-d-usage")
    day = clock()
    clock.advance(1000)
    house.publish("regles-d-usage", "2")
    page = text(browser.get("/textes/regles-d-usage/1"))
    assert "<p>Texte 1</p>" in page
    assert f"texte.accepte|date=jour {day}" in page
    assert "texte.empreinte|empreinte=" in page
    assert "texte.accepte" not in text(browser.get("/textes/regles-d-usage/2"))
    assert "texte.accepte" not in text(house.browser(None).get("/textes/regles-d-usage/1"))


@pytest.mark.parametrize("path", ["regles-d-usage/9", "autre/1", "regles-d-usage/%00", "regles-d-usage/1%00", "%00/1"])
def test_an_unknown_text_is_not_found(house: House, path: str) -> None:
    assert house.browser(None).get(f"/textes/{path}").status_code == 404


@pytest.mark.security("IN-03")
@pytest.mark.parametrize("value", ["\0", "\ud800".encode("utf-8", "surrogatepass"), b"\xff\xfe", "x" * 1_000_000, "‮"])
@pytest.mark.parametrize("path", PATHS)
def test_no_request_body_makes_a_page_fail(house: House, path: str, value: str | bytes) -> None:
    stages: dict[str, dict[str, Any]] = {
        INFORMATION: {},
        CODE: {},
        PASSWORD: {"given_name": "Z", "family_name": "Y", "email": "z@exemple.fr"},
        RULES: {"given_name": "Z", "family_name": "Y", "email": "z@exemple.fr"},
        TERMS: {"given_name": "Z", "family_name": "Y", "email": "z@exemple.fr"},
    }
    house.add(**stages[path])
    browser = house.browser()
    if path == CODE:
        browser.post(INFORMATION, nom="Y", prenom="Z", email="z@exemple.fr", telephone="")
    if path in (RULES, TERMS):
        house.change(provisional=None)
    if path == TERMS:
        browser.accept("regles-d-usage")
    names = ("nom", "prenom", "email", "telephone", "faute_signalee", "code", "nouveau_mot_de_passe", "confirmation")
    answer = browser.client.post(path, data=dict.fromkeys((*names, "accepter", "empreinte"), value))
    assert answer.status_code in (303, 413, 422)
    assert house.completions == []


@pytest.mark.security("GA-11")
def test_two_tabs_that_finish_at_the_same_moment_complete_once(house: House) -> None:
    house.add_finished(completed=0)
    first = house.browser()
    first.accept("regles-d-usage")
    shown = first.hash_shown(TERMS)
    browsers = [house.browser() for _ in range(6)]
    answers: list[tuple[int, str]] = []

    def finish(number: int) -> None:
        answer = browsers[number].post(TERMS, accepter="oui", empreinte=shown)
        answers.append((answer.status_code, answer.location))

    in_threads(finish, len(browsers))
    assert answers == [(303, DONE)] * 6
    assert house.completions == ["a1"]
    assert house.person().completed == 1
    with Session(house.engine) as session:
        assert session.scalar(select(func.count()).select_from(Acceptance)) == 2


def test_a_house_may_leave_out_services_and_administrators(house: House) -> None:
    full, left_out = house.ports(), ("service_name", "administered", "led_by_another", "administrator_help_url")
    given = {field.name: getattr(full, field.name) for field in fields(Ports) if field.name not in left_out}
    bare = Ports(**given)
    house.add_finished(organisation_name="Logis du Sud")
    assert bare.service_name() is None
    assert bare.administered(house.person()) is None
    assert not bare.led_by_another(house.person())
    assert bare.administrator_help_url() is None
