"""The stand-in for pyftpdlib's command line program, which gives its tests the server it has made."""

import argparse
import os
import types

from ftpsd_process import RequestFailed



class Refused(SystemExit, ValueError, argparse.ArgumentTypeError):
    """The program ends with status 2 and says why. pyftpdlib raises one or another of these."""


def make_main(process):
    """A function like pyftpdlib.__main__.main that asks `ftpsd check` what a command line means."""

    def main(args):
        # There PORT is always allowed. The program that is asked may write, whatever the command line says.
        given = ["--active", "--accept-risk", "excess-permissions"]
        try:
            checked = process.check([*given, *args])
        except RequestFailed as error:
            raise Refused(str(error)) from error
        if not checked["clean"]:
            raise Refused("; ".join(finding["message"] for finding in checked["findings"]))
        return server_of(checked["settings"])

    return main


def server_of(settings):
    """The settings by the names of pyftpdlib's attributes."""
    limits, passive, active = settings["limits"], settings["passive"], settings["active"]
    ports = passive.get("ports")
    handler = types.SimpleNamespace(
        authorizer=authorizer_of(settings),
        banner=settings["banner"],
        encoding=settings.get("encoding"),
        masquerade_address=passive.get("address"),
        max_login_attempts=limits["loginAttempts"],
        passive_ports=ports and list(range(ports["from"], ports["to"] + 1)),
        permit_foreign_addresses=active["foreignAddresses"],
        permit_privileged_ports=active["privilegedPorts"],
        timeout=settings["timeouts"]["idle"],
        use_gmt_times=settings["times"] == "utc",
    )
    return types.SimpleNamespace(
        handler=handler,
        max_cons=limits["connections"],
        max_cons_per_ip=limits["connectionsPerAddress"],
        close_all=lambda: None,
    )


def authorizer_of(settings):
    homes = {user["name"]: user["home"] for user in settings["users"]}
    if "anonymous" in settings:
        homes["anonymous"] = settings["anonymous"]["home"]
    return types.SimpleNamespace(
        has_user=lambda name: name in homes,
        get_home_dir=lambda name: os.path.abspath(homes[name]),
    )
