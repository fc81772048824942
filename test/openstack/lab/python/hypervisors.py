"""Compute hosts without virtual machines: unmodified nova-compute services over nova's fake driver, forked from one process.

    hypervisors.py FOLDER NOVA_CONF

FOLDER/hosts has a file for each host, FOLDER/failed one for each that shall be dead: it is killed as a power cut would
(SIGKILL) and comes back when the file goes. The processor, memory and disk of a host are in its file, as three numbers.
"""
import nova.monkey_patch  # noqa: F401  as nova's own commands: before anything else of nova

import os
import signal
import sys

from eventlet import patcher

import nova.cmd.compute
import nova.compute.manager  # noqa: F401  imported once, shared by all children
from nova.virt import fake

FOLDER, CONF = sys.argv[1:3]
pause = patcher.original("time").sleep  # the parent runs no event loop: its children would inherit it
running = {}  # host -> pid


def be_a_host(host):
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    size = open(os.path.join(FOLDER, "hosts", host)).read().split()
    driver = fake.MediumFakeDriver
    driver.vcpus, driver.memory_mb, driver.local_gb = (int(number) for number in size)
    own = os.path.join(FOLDER, "etc", "host-" + host + ".conf")
    with open(own, "w") as conf:
        conf.write("[DEFAULT]\nhost = %s\nlog_file = %s/log/nova-compute-%s.log\n" % (host, FOLDER, host))
    sys.argv = ["nova-compute", "--config-file", CONF, "--config-file", own]
    code = 1
    try:
        nova.cmd.compute.main()
        code = 0
    finally:
        os._exit(code)


def kill_all(*_):
    for pid in running.values():
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    os._exit(0)


def names(folder):
    return set(os.listdir(os.path.join(FOLDER, folder)))


signal.signal(signal.SIGTERM, kill_all)
while True:
    alive = names("hosts") - names("failed")
    for host in sorted(alive - set(running)):
        pid = os.fork()
        if pid == 0:
            be_a_host(host)
        running[host] = pid
    for host in sorted(set(running) - alive):
        os.kill(running[host], signal.SIGKILL)
    while running:
        pid, _ = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            break
        running = {host: its for host, its in running.items() if its != pid}
    pause(0.3)
