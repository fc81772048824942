"""heat-api-cfn, with one mend for Debian 12.

Its Keystone answers /v3/ec2tokens only to a service (CVE-2025-65073); its Heat asks without a token, so every signed URL
of a wait condition would get 403. Heat upstream asks with its own token, and so does this.
"""
import eventlet

eventlet.monkey_patch()

import sys

from heat.api.aws import ec2token
from keystoneauth1 import loading, session
from oslo_config import cfg

GROUP = "keystone_authtoken"
plain = ec2token.requests


class WithToken:
    """The module `requests`, but what goes to ec2tokens has the token of the service."""

    session = None

    def __getattr__(self, name):
        return getattr(plain, name)

    def token(self):
        if WithToken.session is None:
            loading.register_auth_conf_options(cfg.CONF, GROUP)
            auth = loading.load_auth_from_conf_options(cfg.CONF, GROUP)
            WithToken.session = session.Session(auth=auth)
        return WithToken.session.get_token()

    def post(self, url, **arguments):
        if url.endswith("/ec2tokens"):
            arguments["headers"] = {**(arguments.get("headers") or {}), "X-Auth-Token": self.token()}
        return plain.post(url, **arguments)


ec2token.requests = WithToken()
sys.argv[0] = "heat-api-cfn"
from heat.cmd import api_cfn  # noqa: E402  after the mend

sys.exit(api_cfn.main())
