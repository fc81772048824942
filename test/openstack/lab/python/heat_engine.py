"""heat-engine, with one mend for Debian 12.

Its oslo.messaging takes the credentials out of the context of a notification; Heat's stored context (trust of the owner of
a stack, used for signals) then tries to log in with none while it is written down, and the signal fails. A context without
credentials is given nothing to load instead.
"""
import eventlet

eventlet.monkey_patch()

import sys

from heat.common import context

load = context.StoredContext._load_keystone_data
CREDENTIALS = ("trust_id", "auth_token", "auth_token_info", "password")


def load_if_possible(self):
    if any(getattr(self, name, None) for name in CREDENTIALS):
        load(self)
        return
    self._keystone_loaded = True
    for name in ("_roles", "_user_domain_id", "_project_domain_id"):
        if not hasattr(self, name):
            setattr(self, name, None)


context.StoredContext._load_keystone_data = load_if_possible
sys.argv[0] = "heat-engine"
from heat.cmd import engine  # noqa: E402  after the mend

sys.exit(engine.main())
