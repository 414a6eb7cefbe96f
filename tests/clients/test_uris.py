import pytest

from clients.uris import LONGEST, Rules, UriRefused, check_page, check_redirect, host

WEB = Rules(production=True)
NATIVE = Rules(production=True, native=True)
DEMO = Rules(production=False)


def international(label: str) -> str:
    return "xn--" + label.encode("punycode").decode()


GOOD_FOR_WEB = [
    "https://bailleur.example",
    "https://bailleur.example/",
    "https://bailleur.example/retour?dummy1=lorem&dummy2=ipsum",
    "https://bailleur.example:8443/retour",
    "https://a-b.c0.example/%C3%A9t%C3%A9?vide=",
    f"https://{international('forêt-noire')}.example/retour",
    "https://intranet/retour",
    "https://bailleur.example/a@b",
]

LOOPBACK = ["http://localhost:8001/retour", "http://127.0.0.1/retour", "http://[::1]:8001/", "https://localhost/r"]

PRIVATE_USE = ["fr.exemple.appli:/retour", "fr.exemple.appli://retour", "com.example.app:/a?b=c"]

# Refused whoever registers them: (address, a word of the reason).
NEVER = [
    ("", "1 à 2000"),
    ("https://bailleur.example/" + "a" * LONGEST, "1 à 2000"),
    ("https://bailleur.example/a b", "espace"),
    ("https://bailleur.example/a\r\nSet-Cookie:x", "contrôle"),
    ("https://bailleur.example/\x00", "contrôle"),
    ("https://bailleur.example/\x7f", "contrôle"),
    ("https://bailleur.example/été", "non ASCII"),
    ("https://bаilleur.example/", "non ASCII"),  # a Cyrillic а
    ("https://bailleur。example/", "non ASCII"),  # an ideographic full stop, which browsers take for a dot
    ("https://rp.test\\@evil.test/cb", "barre oblique inverse"),
    ("https://bailleur.example/#fragment", "fragment"),
    ("https://bailleur.example/#", "fragment"),
    ("https://*.bailleur.example/", "joker"),
    ("https://bailleur.example/*", "joker"),
    ('https://bailleur.example/"', "interdit"),
    ("https://bailleur.example/<script>", "interdit"),
    ("https://bailleur.example/%zz", "interdit"),
    ("https://bailleur.example/%", "interdit"),
    ("bailleur.example/retour", "complète"),
    ("//evil.example/retour", "complète"),
    ("/retour", "complète"),
    ("HTTPS://bailleur.example/", "minuscules"),
    ("https:/bailleur.example/", "« // »"),
    ("https:bailleur.example", "« // »"),
    ("https:///retour", "nom d'hôte"),
    ("https://?a=b", "nom d'hôte"),
    ("https://rp.test@evil.test/cb", "« @ »"),
    ("https://a@b@evil.test/", "« @ »"),
    ("http://localhost:80@evil.test/", "« @ »"),
    ("https://user:password@bailleur.example/", "« @ »"),
    ("https://[::1]x/", "IP"),
    ("https://[::1/", "IP"),
    ("https://bailleur.example:0/", "port"),
    ("https://bailleur.example:/", "port"),
    ("https://bailleur.example:65536/", "port"),
    ("https://bailleur.example:080/", "port"),
    ("https://bailleur.example:80:90/", "port"),
    ("https://bailleur.example:http/", "port"),
    ("http://bailleur.example/", "chiffré"),
    ("http://127.0.0.1.evil.example/", "chiffré"),
    ("http://localhost.evil.example/", "chiffré"),
    ("https://192.0.2.1/", "IP"),
    ("https://127.0.0.2/", "IP"),
    ("https://127.1/", "IP"),
    ("https://2130706433/", "IP"),
    ("https://0x7f.0.0.0x1/", "IP"),
    ("https://[2001:db8::1]/", "IP"),
    ("https://[::ffff:127.0.0.1]/", "IP"),
    ("https://Bailleur.example/", "minuscules"),
    ("https://-bailleur.example/", "nom d'hôte"),
    ("https://bailleur-.example/", "nom d'hôte"),
    ("https://bailleur..example/", "nom d'hôte"),
    ("https://bailleur.example./", "nom d'hôte"),
    ("https://bail_leur.example/", "nom d'hôte"),
    ("https://bailleur%2eexample/", "nom d'hôte"),
    ("https://" + "a" * 64 + ".example/", "nom d'hôte"),
    ("https://" + "a." * 130 + "example/", "nom d'hôte"),
    ("https://bailleur.localhost/", "sous « localhost »"),
    (f"https://{international('аррӏе')}.example/", "confondre"),  # Cyrillic only
    (f"https://{international('bаilleur')}.example/", "confondre"),  # Cyrillic а among Latin letters
    (f"https://{international('ſtore')}.example/", "confondre"),  # a long s
    ("https://xn--bailleur-.example/", "nom d'hôte"),
    ("https://xn--zzzzzzzzzzz.example/", "confondre"),  # no such name
    ("https://xn--a.example/", "confondre"),
    ("https://ab--cd.example/", "confondre"),
    ("https://bailleur.example/a/../b", "« .. »"),
    ("https://bailleur.example/a/.", "« .. »"),
    ("https://bailleur.example/%2e%2E/b", "« .. »"),
    ("https://bailleur.example/?code=1", "réservé"),
    ("https://bailleur.example/?a=b&state", "réservé"),
    ("https://bailleur.example/?%69ss=x", "réservé"),
    ("javascript:alert(1)", "« javascript: »"),
    ("javascript://bailleur.example/%0aalert(1)", "« javascript: »"),
    ("data:text/html,x", "« data: »"),
    ("vbscript:x", "« vbscript: »"),
    ("file:///etc/passwd", "« file: »"),
    ("blob:https://bailleur.example/1", "« blob: »"),
    ("ftp://bailleur.example/", "« ftp: »"),
    ("urn:ietf:wg:oauth:2.0:oob", "« urn: »"),
]


@pytest.mark.parametrize("uri", GOOD_FOR_WEB)
def test_a_whole_https_address_is_accepted(uri: str) -> None:
    check_redirect(uri, WEB)
    check_page(uri, WEB)


@pytest.mark.security("CL-05", "AZ-02", "IN-06")
@pytest.mark.authlib(6)
@pytest.mark.parametrize("rules", [WEB, NATIVE, DEMO])
@pytest.mark.parametrize(("uri", "reason"), NEVER)
def test_a_dangerous_address_is_refused_for_everyone_with_the_reason(uri: str, reason: str, rules: Rules) -> None:
    with pytest.raises(UriRefused, match=reason):
        check_redirect(uri, rules)


@pytest.mark.security("CL-10")
@pytest.mark.parametrize(("uri", "reason"), NEVER)
def test_the_same_addresses_are_refused_for_the_pages_that_people_see(uri: str, reason: str) -> None:
    with pytest.raises(UriRefused, match=reason):
        check_page(uri, WEB)


@pytest.mark.security("CL-05")
@pytest.mark.parametrize("uri", LOOPBACK)
def test_loopback_is_refused_to_a_web_client_in_production(uri: str) -> None:
    with pytest.raises(UriRefused, match="la machine de la personne"):
        check_redirect(uri, WEB)
    with pytest.raises(UriRefused, match="la machine de la personne"):
        check_page(uri, NATIVE)


@pytest.mark.parametrize("uri", LOOPBACK)
def test_loopback_is_accepted_for_native_clients_and_outside_production(uri: str) -> None:
    check_redirect(uri, NATIVE)
    check_redirect(uri, DEMO)
    check_page(uri, DEMO)


@pytest.mark.parametrize("uri", PRIVATE_USE)
def test_a_private_use_scheme_is_for_native_clients_only(uri: str) -> None:
    check_redirect(uri, NATIVE)
    for check in (check_redirect, check_page):
        with pytest.raises(UriRefused, match=r"« (fr|com)\."):
            check(uri, DEMO)


@pytest.mark.parametrize("uri", ["fr.exemple.appli:retour", "fr.exemple.appli://moi@retour", "fr..appli:/", "a.b:///x"])
def test_a_private_use_scheme_has_one_plain_form(uri: str) -> None:
    with pytest.raises(UriRefused, match=r"fr\.exemple\.application:/retour"):
        check_redirect(uri, NATIVE)


def test_the_host_is_read_without_its_port() -> None:
    assert host("https://bailleur.example:8443/retour?a=b") == "bailleur.example"
    assert host("http://[::1]:8001/") == "[::1]"
    assert host("fr.exemple.appli:/retour") is None
