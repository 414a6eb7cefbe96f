"""Static files: kept for a year under an address that changes with what they hold."""

from idp.web.assets import KEPT_FOR
from tests.idp.pages.samples import pages_app


def test_a_static_file_may_be_kept_because_its_address_follows_its_content() -> None:
    app = pages_app()
    with app.test_request_context():
        address = app.jinja_env.globals["asset_url"]("style.css")
    assert address.startswith("/static/style.css?v=")
    answer = app.test_client().get(address)
    assert answer.status_code == 200
    assert answer.cache_control.max_age == KEPT_FOR
