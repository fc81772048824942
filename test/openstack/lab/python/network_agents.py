"""The "Open vSwitch agents" of all hosts of the lab in one process, over Neutron's own RPC.

    network_agents.py FOLDER --config-file NEUTRON_CONF

FOLDER/networks has a file for each host with the names of its physical networks. An agent reports its state, so that
Neutron's Open vSwitch driver binds ports to its host, and says of a bound port that it is up, as if a tap had been plugged.
The agent of a host that is in FOLDER/failed is silent.
"""
import eventlet

eventlet.monkey_patch()

import os
import sys

import oslo_messaging
from eventlet.queue import Queue
from neutron.agent import rpc
from neutron.common import config
from neutron.conf.agent import common as agent_options
from neutron_lib import context
from neutron_lib.agent import topics
from oslo_config import cfg
from oslo_log import log

FOLDER = sys.argv[1]
LOG = log.getLogger("network_agents")
REPORT_EVERY = 10  # s


def silent():
    return set(os.listdir(os.path.join(FOLDER, "failed")))


def hosts():
    folder = os.path.join(FOLDER, "networks")
    return {host: open(os.path.join(folder, host)).read().split() for host in sorted(os.listdir(folder))}


def state_of(number, host, networks, first):
    state = {
        "binary": "neutron-openvswitch-agent",
        "agent_type": "Open vSwitch agent",
        "topic": "N/A",
        "host": host,
        "configurations": {
            "bridge_mappings": {network: "br-" + network for network in networks},
            "integration_bridge": "br-int",
            "tunnel_types": ["vxlan"],
            "tunneling_ip": "127.0.1.%d" % (number + 1),
            "datapath_type": "system",
            "ovs_hybrid_plug": False,
            "ovs_capabilities": {"datapath_types": ["system"], "iface_types": []},
            "extensions": [],
            "in_distributed_mode": False,
            "l2_population": False,
            "devices": 0,
            "resource_provider_bandwidths": {},
            "resource_provider_hypervisors": {},
            "vhostuser_socket_dir": "/var/run/openvswitch",
        },
    }
    if first:
        state["start_flag"] = True
    return state


class Updates:
    """What Neutron tells all agents about ports."""

    target = oslo_messaging.Target(version="1.4")

    def __init__(self, bound):
        self.bound = bound

    def port_update(self, context, port, **_):
        host = port.get("binding:host_id")
        if host and port.get("status") != "ACTIVE":
            self.bound.put((port["id"], host))

    def port_delete(self, context, **_):
        pass

    def network_update(self, context, **_):
        pass


def plug(bound, plugin, admin):
    while True:
        port, host = bound.get()
        if host in silent():
            continue
        try:
            plugin.get_device_details(admin, port, "ovs-agent-" + host, host)
            plugin.update_device_up(admin, port, "ovs-agent-" + host, host)
        except Exception:
            LOG.exception("port %s on %s", port, host)


def report(reports, admin):
    reported = set()
    while True:
        quiet = silent()
        for number, (host, networks) in enumerate(hosts().items()):
            if host in quiet:
                continue
            try:
                first = host not in reported
                reports.report_state(admin, state_of(number, host, networks, first), use_call=first)
                reported.add(host)
            except Exception as error:
                LOG.warning("report of %s: %s", host, error)
        eventlet.sleep(REPORT_EVERY if len(reported) else 1)


agent_options.register_agent_state_opts_helper(cfg.CONF)
config.register_common_config_options()
config.init(sys.argv[2:])
config.setup_logging()
admin = context.get_admin_context_without_session()
bound = Queue()
consumers = rpc.create_consumers(
    [Updates(bound)],
    topics.AGENT,
    [[topics.PORT, topics.UPDATE], [topics.PORT, topics.DELETE], [topics.NETWORK, topics.UPDATE]],
)
for _ in range(4):
    eventlet.spawn(plug, bound, rpc.PluginApi(topics.PLUGIN), admin)
report(rpc.PluginReportStateAPI(topics.REPORTS), admin)
