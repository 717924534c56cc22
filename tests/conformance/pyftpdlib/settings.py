"""What pyftpdlib's tests set on its classes, as ftpsd's options.

Settings are class attributes there, put on the handler and the server between the making of a server and its start.
"""

import re
import ssl


def translate(handler, server):
    """The options of FtpServer that mean what the attributes of pyftpdlib's handler class and server mean."""
    return {
        "banner": handler.banner,
        "times": "utc" if handler.use_gmt_times else "local",
        "tls": tls(handler),
        "passive": passive(handler),
        # There PORT and EPRT are always allowed.
        "active": {
            "enabled": True,
            "foreignAddresses": handler.permit_foreign_addresses,
            "privilegedPorts": handler.permit_privileged_ports,
        },
        "timeouts": {
            "idle": handler.timeout,
            "login": 0,  # it has no such deadline
            "data": handler.dtp_handler.timeout,
            "passive": handler.passive_dtp.timeout,
            "active": handler.active_dtp.timeout,
            "failedLogin": handler.auth_failed_timeout,
        },
        "limits": {
            # There every socket counts, the listening one first.
            "connections": max(server.max_cons - 1, 0),
            "connectionsPerAddress": server.max_cons_per_ip,
            "loginAttempts": handler.max_login_attempts,
        },
        "ban": {"failures": 0},
        "encoding": encoding(handler),
    }


def tls(handler):
    if not hasattr(handler, "tls_control_required"):
        return {"policy": "off"}
    options = {"policy": policy(handler), "requireCloseNotify": False}
    pem = read_text(handler.certfile)
    # A short key, as version 1.5.7 has it, is of no use today: ftpsd makes a pair of its own then.
    if is_strong(handler.certfile):
        certificate, key = ("".join(pem_blocks(pem, label)) for label in ("CERTIFICATE", "(?:RSA )?PRIVATE KEY"))
        options |= {"certificate": certificate, "key": key}
    return options


def policy(handler):
    # ftpsd demands TLS for data only together with TLS for commands.
    if handler.tls_data_required:
        return "required"
    return "control" if handler.tls_control_required else "optional"


def passive(handler):
    options = {"addresses": handler.masquerade_address_map}
    if handler.masquerade_address is not None:
        options["address"] = handler.masquerade_address
    if handler.passive_ports is not None:
        ports = list(handler.passive_ports)
        options["ports"] = {"from": min(ports), "to": max(ports)}
    return options


def encoding(handler):
    # Names are always UTF-8 in version 1; what it has by that name is asynchat's, and something else.
    own = [cls for cls in handler.__mro__ if cls.__module__.startswith("pyftpdlib.")]
    return handler.encoding if any("encoding" in vars(cls) for cls in own) else "utf-8"


def is_strong(certificate_file):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(certificate_file)
    except ssl.SSLError:
        return False
    return True


def pem_blocks(pem, label):
    return re.findall(rf"-----BEGIN {label}-----.*?-----END {label}-----\n?", pem, re.DOTALL)


def read_text(path):
    with open(path, encoding="ascii") as file:
        return file.read()
