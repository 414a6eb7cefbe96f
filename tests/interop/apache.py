"""A real Apache with mod_auth_openidc in front of one protected page, in a folder of its own."""

import os
import secrets
import shutil
import stat
import tempfile
from pathlib import Path
from typing import Any

from tests.journeys.processes import Server, free_port
from tests.journeys.provider import Provider

MODULES = Path("/usr/lib/apache2/modules")
SCOPE = "openid profile email partenaire"

CONFIGURATION = """\
ServerRoot {folder}
ServerName 127.0.0.1
Listen 127.0.0.1:{port}
PidFile {folder}/httpd.pid
ErrorLog {folder}/error.log
LogLevel warn auth_openidc:warn
{modules}
{user}
DocumentRoot {folder}/www
ScriptAlias /protege {folder}/page.cgi
<Directory {folder}>
    Require all granted
</Directory>

OIDCProviderMetadataURL {issuer}/.well-known/openid-configuration
OIDCClientID {client_id}
OIDCClientSecret {client_secret}
OIDCProviderTokenEndpointAuth client_secret_basic
OIDCRedirectURI {url}/protege/retour
OIDCCryptoPassphrase {passphrase}
OIDCScope "{scope}"
OIDCPKCEMethod S256
OIDCSSLValidateServer Off
OIDCRemoteUserClaim numero_utilisateur
OIDCPassClaimsAs environment
OIDCPassRefreshToken On
OIDCDefaultURL {url}/protege
<Location /protege>
    AuthType openid-connect
    Require valid-user
</Location>
"""

# The page shows what the module tells the application.
PAGE = """\
#!/usr/bin/python3
import json, os
told = {name: value for name, value in os.environ.items() if name.startswith(("OIDC_", "REMOTE_USER"))}
print("Content-Type: application/json\\nCache-Control: no-store\\n")
print(json.dumps(told))
"""


class Apache:
    """Registered at `provider`, configured, then run as its own process."""

    def __init__(self, provider: Provider) -> None:
        # Apache's workers are another user, which cannot enter pytest's folders.
        self.folder = Path(tempfile.mkdtemp(prefix="mcp-apache-"))
        self.folder.chmod(0o755)
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self.page = f"{self.url}/protege"
        registration = provider.register(
            f"apache-{port}",
            client_name="Portail Apache",
            redirect_uris=[f"{self.url}/protege/retour"],
            grant_types=["authorization_code", "refresh_token"],
            response_types=["code"],
            token_endpoint_auth_method="client_secret_basic",
            scope=SCOPE,
        )
        self._write(provider, port, registration)
        apache = shutil.which("apache2") or "/usr/sbin/apache2"
        command = [apache, "-d", str(self.folder), "-f", str(self.folder / "httpd.conf"), "-DFOREGROUND"]
        self.server = Server(command, {}, self.folder / "out.log", self.url + "/")

    def _write(self, provider: Provider, port: int, registration: dict[str, Any]) -> None:
        names = {
            "mpm_prefork": "mpm_prefork",
            "authz_core": "authz_core",
            "authn_core": "authn_core",
            "authz_user": "authz_user",
            "alias": "alias",
            "cgi": "cgi",
            "dir": "dir",
            "auth_openidc": "auth_openidc",
        }
        (self.folder / "www").mkdir()
        (self.folder / "www" / "index.html").write_text("<!doctype html><title>Portail</title>")
        page = self.folder / "page.cgi"
        page.write_text(PAGE)
        page.chmod(page.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
        configuration = CONFIGURATION.format(
            folder=self.folder,
            port=port,
            url=self.url,
            user="User www-data\nGroup www-data" if os.geteuid() == 0 else "",
            modules="\n".join(f"LoadModule {name}_module {MODULES}/mod_{file}.so" for name, file in names.items()),
            issuer=provider.issuer,
            client_id=registration["client_id"],
            client_secret=registration["client_secret"],
            passphrase=secrets.token_hex(32),
            scope=SCOPE,
        )
        (self.folder / "httpd.conf").write_text(configuration)

    def close(self) -> None:
        self.server.stop()
        shutil.rmtree(self.folder)
