"""Checks that the machines that the other tests use are as they should be."""

import subprocess
import time

import pytest
from trainsh_world import World, wait_until


def test_a_machine_has_a_home_and_a_shell_of_its_own(world: World) -> None:
    box = world.sshd("box", shell="/bin/dash")  # noqa: S604 - the login shell of an account
    done = world.run("ssh", "box", 'echo "$HOME $(pwd) $0"')
    assert done.out.split()[:2] == [str(box.home), str(box.home)]
    assert done.out.split()[2].endswith("dash")


def test_the_home_of_this_user_is_not_touched(world: World) -> None:
    world.sshd("box")
    world.run("ssh", "box", "touch here")
    assert (world.folder / "h-box" / "home" / "here").exists()


def test_a_password_is_asked_for(world: World) -> None:
    box = world.sshd("box", password="open sesame", keys=False)
    if not box.namespaced:
        pytest.skip("PASSWORDS ARE NOT TESTED HERE: no mount namespaces")
    done = world.run("ssh", "-o", "BatchMode=yes", "box", "true", check=False)
    assert done.status == 255 and "password" in done.err


def test_a_relay_delays_cuts_and_restores(world: World) -> None:
    box = world.sshd("box")
    relay = world.relay(box, delay=0.05, name="slow")
    began = time.monotonic()
    world.run("ssh", "slow", "true")
    assert time.monotonic() - began > 0.3
    relay.cut()
    child = subprocess.Popen(["ssh", "slow", "echo", "through"], env=world.env, stdout=subprocess.PIPE)
    with pytest.raises(subprocess.TimeoutExpired):
        child.wait(1)
    relay.restore()
    assert child.communicate(timeout=60)[0] == b"through\n"


@pytest.mark.parametrize("delay", [0.0, 0.025], ids=["veth", "tun with delay"])
def test_a_machine_in_a_network_of_its_own(world: World, delay: float) -> None:
    far = world.network_host("far", delay=delay)
    began = time.monotonic()
    world.run("ssh", "far", "true")
    assert time.monotonic() - began > 8 * delay
    far.cut()
    done = world.run("ssh", "-o", "ConnectTimeout=1", "far", "true", check=False)
    assert done.status == 255
    far.restore()
    wait_until(lambda: world.run("ssh", "-o", "ConnectTimeout=2", "far", "true", check=False).status == 0, "back")


def test_connections_can_be_dropped(world: World) -> None:
    box = world.sshd("box")
    child = subprocess.Popen(["ssh", "box", "sleep", "60"], env=world.env, stderr=subprocess.DEVNULL)
    wait_until(box.connections, "a connection")
    box.drop()
    assert child.wait(60) == 255
    world.run("ssh", "box", "true")
