"""A small network of namespaces on this machine: a server, a switch, nodes. Everything that is made here has a name of
this process and is removed by close()."""

import ctypes
import os
import subprocess

CLONE_NEWNET = 0x40000000
SERVER_ADDRESS = "10.77.0.1"
FAR_SERVER_ADDRESS = "10.78.0.1"  # behind the bad line
libc = ctypes.CDLL(None, use_errno=True)


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")


def path_of(namespace):
    return f"/run/netns/{namespace}"


class entered:
    """`with entered(NAMESPACE)`: sockets that this thread opens belong to it, and stay there."""

    def __init__(self, namespace):
        self.path = path_of(namespace)

    def __enter__(self):
        self.before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        self._enter(os.open(self.path, os.O_RDONLY))

    def __exit__(self, *_):
        self._enter(self.before)

    @staticmethod
    def _enter(descriptor):
        failed = libc.setns(descriptor, CLONE_NEWNET)
        os.close(descriptor)
        if failed:
            raise OSError(ctypes.get_errno(), "setns")


class Network:
    def __init__(self):
        self.prefix = f"bnd{os.getpid()}"
        self.namespaces = []
        self.line = None
        self.server = self._namespace("server")
        self.switch = self._namespace("switch")
        self._in(self.switch, "ip", "link", "add", "br0", "type", "bridge")
        self._in(self.switch, "ip", "link", "set", "br0", "up")
        self._plug(self.server, "server", SERVER_ADDRESS)

    def close(self):
        if self.line is not None:
            self.line.terminate()
            self.line.wait(timeout=10)
            self.line = None
        for namespace in self.namespaces:
            subprocess.run(["ip", "netns", "del", namespace], check=False, capture_output=True)
        self.namespaces = []

    def add_node(self, number):
        """A namespace with a link to the switch; its name."""
        name = f"n{number}"
        namespace = self._namespace(name)
        self._plug(namespace, name, f"10.77.0.{10 + number}")
        return namespace

    def set_link(self, number, up):
        """As if the cable was pulled out of the switch, or put in."""
        self._in(self.switch, "ip", "link", "set", f"n{number}", "up" if up else "down")

    def add_bad_line(self, program, delay_ms, jitter_ms, loss_percent):
        """The server is at FAR_SERVER_ADDRESS too, over a line that delays and loses. For the nodes added so far."""
        self.line = subprocess.Popen(
            [program, path_of(self.server), "far0", path_of(self.switch), "far1", str(delay_ms), str(jitter_ms),
             str(loss_percent)], stdout=subprocess.PIPE, text=True)
        if self.line.stdout.readline().strip() != "ready":
            raise RuntimeError("lossy_link did not start")
        self._in(self.server, "ip", "addr", "add", f"{FAR_SERVER_ADDRESS}/32", "dev", "far0")
        self._in(self.server, "ip", "link", "set", "far0", "up")
        self._in(self.switch, "ip", "link", "set", "far1", "up")
        self._in(self.switch, "ip", "addr", "add", "10.77.0.254/24", "dev", "br0")
        self._in(self.switch, "ip", "route", "add", FAR_SERVER_ADDRESS, "dev", "far1")
        self._in(self.switch, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward")
        for namespace in self.namespaces:
            if namespace not in (self.server, self.switch):
                self._in(namespace, "ip", "route", "add", FAR_SERVER_ADDRESS, "via", "10.77.0.254")
        # Nodes are near to each other alone: what the server sends them goes over the line as well.
        self._in(self.server, "ip", "link", "set", "eth0", "down")
        self._in(self.server, "ip", "route", "add", "10.77.0.0/24", "dev", "far0", "src", FAR_SERVER_ADDRESS)

    def _namespace(self, name):
        namespace = f"{self.prefix}-{name}"
        run("ip", "netns", "add", namespace)
        self.namespaces.append(namespace)
        self._in(namespace, "ip", "link", "set", "lo", "up")
        return namespace

    def _plug(self, namespace, port, address):
        self._in(self.switch, "ip", "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", namespace)
        self._in(self.switch, "ip", "link", "set", port, "master", "br0", "up")
        self._in(namespace, "ip", "addr", "add", f"{address}/24", "dev", "eth0")
        self._in(namespace, "ip", "link", "set", "eth0", "up")

    @staticmethod
    def _in(namespace, *command):
        run("ip", "netns", "exec", namespace, *command)
