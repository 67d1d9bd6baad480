"""Builds the JSON object by which the API describes a rented instance."""

from typing import Any

from trainsh_sandbox.instances.instance import Instance
from trainsh_sandbox.market.offers import priced

# These fields are copied unchanged from the offer to the instance.
SAME = (
    "machine_id", "host_id", "hosting_type", "bundle_id", "static_ip", "direct_port_count", "gpu_name",
    "gpu_arch", "num_gpus", "gpu_frac", "gpu_ram", "gpu_mem_bw", "gpu_lanes", "bw_nvlink", "compute_cap",
    "cuda_max_good", "driver_version", "total_flops", "cpu_name", "cpu_arch", "cpu_cores",
    "cpu_cores_effective", "cpu_ram", "has_avx", "mobo_name", "pci_gen", "pcie_bw", "os_version", "disk_name",
    "disk_bw", "inet_up", "inet_down", "inet_up_cost", "inet_down_cost", "internet_up_cost_per_tb",
    "internet_down_cost_per_tb", "reliability2", "verification", "rentable", "external", "geolocation",
    "dlperf", "score", "min_bid", "storage_cost", "credit_discount_max", "logo", "webpage",
)  # fmt: skip


def row(one: Instance, now: float) -> dict[str, Any]:
    """The whole object of an instance, which the list and the call for one instance return."""
    offer = {**one.offer, "dph_base": one.gpu_price}
    prices = priced(offer, one.disk, now)
    running = one.actual == "running"
    return {
        **{name: one.offer.get(name) for name in SAME},
        **{name: prices[name] for name in ("dph_base", "dph_total", "storage_total_cost", "vram_costperhour")},
        **{name: prices[name] for name in ("dlperf_per_dphtotal", "flops_per_dphtotal", "search")},
        "instance": prices["search" if running else "instance"],
        **_identity(one), **_states(one), **_network(one, running), **_times(one, now, running),
        "gpu_totalram": one.offer["gpu_total_ram"], "gpu_util": 0.0 if not running else 3.0,
        "gpu_temp": 0.0 if not running else 41.0, "country_code": one.offer["geolocation"][-2:],
        "cpu_util": 0.02, "mem_limit": 64.4, "mem_usage": 1.2, "vmem_usage": 2.0, "disk_space": one.disk,
        "disk_usage": round(one.disk * 0.1, 2), "disk_util": 0.1, "inet_up_billed": one.usage.up / 1000,
        "inet_down_billed": one.usage.down / 1000, "credit_balance": None, "credit_discount": None,
        "volume_info": [],
    }  # fmt: skip


def _identity(one: Instance) -> dict[str, Any]:
    return {
        "id": one.id, "label": one.label, "is_bid": one.bid is not None, "image_uuid": one.image, "image_args": [],
        "image_runtype": one.runtype, "extra_env": [list(pair) for pair in one.env.items()], "onstart": one.onstart,
        "template_id": None, "template_hash_id": None, "template_name": None, "jupyter_token": "",
    }  # fmt: skip


def _states(one: Instance) -> dict[str, Any]:
    return {
        "actual_status": one.actual, "cur_state": one.cur, "next_state": one.next, "intended_status": one.intended,
        "status_msg": one.message,
    }  # fmt: skip


def _network(one: Instance, running: bool) -> dict[str, Any]:
    machine = one.machine
    direct, proxy = (machine.direct_port, machine.proxy_port) if machine else (0, 0)
    ports: dict[str, list[dict[str, str]]] = {}
    if running and one.direct and direct:
        ports = {
            "22/tcp": [{"HostIp": "0.0.0.0", "HostPort": str(direct)}, {"HostIp": "::", "HostPort": str(direct)}]
        }
    return {
        "ssh_idx": "4", "ssh_host": "127.0.0.1", "ssh_port": proxy - one.is_jupyter if proxy else 15202,
        "machine_dir_ssh_port": 41022, "public_ipaddr": "127.0.0.1\n", "local_ipaddrs": "127.0.0.1 \n",
        "direct_port_start": -1, "direct_port_end": -1, "ports": ports,
    }  # fmt: skip


def _times(one: Instance, now: float, running: bool) -> dict[str, Any]:
    up = round((now - one.started) / 60, 1) if running and one.started else None
    return {
        "start_date": one.created, "end_date": one.end_date, "duration": one.end_date - now, "uptime_mins": up,
        "client_run_time": 1.1, "host_run_time": 2592000.0, "time_remaining": "", "time_remaining_isbid": "",
    }  # fmt: skip
