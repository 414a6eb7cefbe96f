"""Run as `python -O -m tests.idp.signin.without_asserts FOLDER`: what must be refused is, without any `assert`."""

import sys
from pathlib import Path
from typing import Any

from consent.gate import Clearance
from idp.oidc.issuance import Issuance
from idp.settings import Settings
from idp.start import with_secrets
from tests.idp.provider import ISSUER, Pkce, Provider, redeem
from tests.idp.signin.trying import type_in, with_provisional


def expect(what: str, *, holds: bool) -> None:
    if not holds:
        sys.exit(f"with -O: {what}")
    print(what)


def main(folder: Path) -> None:
    expect("asserts are taken away", holds=not __debug__)
    values: dict[str, Any] = {"environment": "test", "issuer": ISSUER, "data_dir": folder, "bcrypt_cost": 4}
    settings = Settings(**values)
    provider = Provider(with_secrets(settings))
    landlord, pending, service = provider.landlord(), with_provisional(provider), provider.service()
    stranger, pkce = provider.browser(), Pkce()

    for pair in ((landlord.identifier, "Mauvais"), ("PERSONNE", landlord.password), (pending.identifier, "Mauvais")):
        expect(f"refused: {pair[0]}", holds=type_in(stranger, *pair).status_code == 422)
    forged = {"identifiant": landlord.identifier, "mot_de_passe": landlord.password}
    answer = stranger.client.post("/connexion", base_url=ISSUER, data=forged)
    expect("refused: a form without token", holds=answer.status_code == 403)
    expect("nobody is signed in", holds=stranger.get("/mes-services").headers["Location"] == "/connexion")

    half = provider.browser()
    half.sign_in(pending)
    to = half.authorize(service, pkce).headers["Location"]
    expect("a half-gated session gets no code", holds=to.startswith("/premiere-connexion/"))
    person = provider.browser()
    expect("the right pair signs in", holds=person.sign_in(landlord).status_code == 303)
    code = person.code(service, pkce)
    wrong = redeem(person, service, code, Pkce())
    expect("a wrong verifier is refused", holds=wrong.status_code == 400)
    expect("and has burned the code", holds=redeem(person, service, code, pkce).status_code == 400)

    for vouching in (None, object(), Clearance):
        try:
            Issuance(settings).tokens(None, vouching, None, "openid", 0, refresh=True)  # type: ignore[arg-type]
        except TypeError:
            continue
        sys.exit("with -O: a token without clearance")
    print("no token without clearance")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
