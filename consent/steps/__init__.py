"""The steps of the first login, in the order of the leaflet « Première connexion »."""

from consent.step import Step
from consent.steps.information import Information
from consent.steps.password import ChoosePassword
from consent.steps.rules_of_use import RulesOfUse
from consent.steps.terms import Terms

FIRST_LOGIN: tuple[Step, ...] = (Information(), ChoosePassword(), RulesOfUse(), Terms())
