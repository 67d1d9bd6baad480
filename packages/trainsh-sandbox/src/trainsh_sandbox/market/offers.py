"""A market of offers. The offers are generated from a seed. Prices and supply change with the sandbox's clock."""

import math
import random
from typing import Any

from trainsh_sandbox.market.cards import CARDS, COUNTS, PLACES, Card

Offer = dict[str, Any]
HOURS_A_MONTH = 720
STEP = 600.0  # seconds between two changes of the market
LIFE = 180 * 86400.0


class Market:
    """The offers that can be rented now, keyed by id. `moves` tells whether prices and supply change over time."""

    def __init__(self, now: float, count: int = 300, seed: int = 7, moves: bool = True) -> None:
        self._random = random.Random(seed)
        self._next = 21_000_000 + seed % 1000
        self._moved = now
        self._moves = moves
        self._resting: list[Offer] = []  # offers that other customers have rented for a while
        self.offers: dict[int, Offer] = {}
        for number in range(count):
            self._list(self._machine(number, now))

    def _list(self, offer: Offer) -> Offer:
        self._next += self._random.randint(1, 40)
        offer |= {"id": self._next, "ask_contract_id": self._next, "rentable": True, "rented": False}
        self.offers[self._next] = offer
        return offer

    def take(self, number: int) -> Offer | None:
        """Remove an offer because it is rented, and return it. Return None if the offer is gone already."""
        return self.offers.pop(number, None)

    def free(self, offer: Offer) -> Offer:
        """Offer a machine again, under a new id."""
        return self._list(offer)

    def move(self, now: float) -> None:
        """Change the market to its state at the time `now`: prices drift, and other customers rent and return
        machines.
        """
        while self._moves and now - self._moved >= STEP:
            self._moved += STEP
            rand = self._random
            for offer in rand.sample(
                sorted(self.offers.values(), key=lambda one: int(one["id"])), len(self.offers) // 10
            ):
                offer["dph_base"] = round(offer["dph_base"] * math.exp(rand.gauss(0, 0.02)), 6)
                offer["min_bid"] = round(offer["dph_base"] * rand.uniform(0.4, 0.7), 6)
            for _ in range(rand.randint(0, 3)):
                if len(self.offers) > 20:
                    self._resting.append(self.offers.pop(rand.choice(sorted(self.offers))))
            while len(self._resting) > 8:
                self._list(self._resting.pop(rand.randrange(len(self._resting))))

    def _machine(self, number: int, now: float) -> Offer:
        rand = self._random
        card = CARDS[number] if number < len(CARDS) else rand.choices(CARDS, [card.share for card in CARDS])[0]
        count = 1 if number < len(CARDS) else rand.choice(COUNTS)
        price = card.price * count * math.exp(rand.gauss(0, 0.25))
        return self._figures(card, count, price, now) | self._place(number) | self._hardware(card, count)

    def _figures(self, card: Card, count: int, price: float, now: float) -> Offer:
        rand = self._random
        reliability = round(1 - rand.expovariate(60), 7)
        end = now + rand.uniform(0.1, 1.0) * LIFE
        bandwidth = rand.choice((0.0, 0.001, 0.0026041666666666665, 0.01, 0.02))
        return {
            "dph_base": round(price, 6), "min_bid": round(price * rand.uniform(0.4, 0.7), 6),
            "storage_cost": rand.choice((0.08, 0.1, 0.15, 0.15, 0.2, 0.3)),
            "inet_up_cost": bandwidth, "inet_down_cost": bandwidth,
            "internet_up_cost_per_tb": bandwidth * 1024, "internet_down_cost_per_tb": bandwidth * 1024,
            "reliability": reliability, "reliability2": reliability, "expected_reliability": reliability,
            "reliability_mult": reliability**2, "dlperf": round(card.dlperf * count * rand.uniform(0.9, 1.05), 4),
            "total_flops": round(card.flops * count, 1), "score": round(rand.uniform(20, 600), 4),
            "start_date": now - rand.uniform(1, 300) * 86400, "end_date": end, "credit_discount_max": 0.4,
            "discount_rate": 0.0, "is_bid": False,
        }  # fmt: skip

    def _place(self, number: int) -> Offer:
        rand = self._random
        place, code = rand.choice(PLACES)
        verified = rand.random() < 0.85
        return {
            "machine_id": 30_000 + number, "host_id": 80_000 + number // 3, "bundle_id": 1_284_000_000 + number,
            "hosting_type": int(rand.random() < 0.4), "hostname": None, "resource_type": "gpu", "cluster_id": None,
            "external": False, "verification": "verified" if verified else "unverified", "vericode": int(verified),
            "is_vm_deverified": False, "vms_enabled": False, "static_ip": rand.random() < 0.7,
            "public_ipaddr": "127.0.0.1", "geolocation": place, "geolocode": code,
            "direct_port_count": rand.choice((16, 64, 100, 249)), "logo": "/static/logos/vastai_small2.png",
            "webpage": None, "bundled_results": None, "time_remaining": "", "time_remaining_isbid": "",
        }  # fmt: skip

    def _hardware(self, card: Card, count: int) -> Offer:
        rand = self._random
        cores = rand.choice((16, 32, 64, 128))
        cuda, driver = rand.choice(
            ((12.4, "550.54.15"), (12.6, "560.35.03"), (12.8, "570.133.07"), (13.0, "580.65.06"))
        )
        parts = [int(part) for part in driver.split(".")]
        return {
            "gpu_name": card.name, "num_gpus": count, "gpu_frac": 1.0, "gpu_ram": card.memory,
            "gpu_total_ram": card.memory * count, "gpu_mem_bw": card.bandwidth, "gpu_lanes": 16,
            "gpu_arch": "nvidia",
            "gpu_max_power": 450.0, "gpu_max_temp": 90.0, "gpu_display_active": False, "bw_nvlink": 0.0,
            "gpu_ids": [], "compute_cap": card.capability, "cuda_max_good": cuda, "driver_version": driver,
            "driver_vers": parts[0] * 1_000_000 + parts[1] * 1000 + parts[2],
            "cpu_name": "AMD EPYC 7543 32-Core Processor", "cpu_arch": "amd64", "cpu_cores": cores,
            "cpu_cores_effective": float(min(cores, 16 * count)), "cpu_ghz": 3.7,
            "cpu_ram": rand.choice((64_000, 128_850, 257_721, 515_000)), "has_avx": 1, "mobo_name": "ROMED8-2T",
            "pci_gen": 4.0, "pcie_bw": 24.6, "os_version": "22.04", "disk_name": "SAMSUNG MZQL23T8HCLS-00A07",
            "disk_bw": round(rand.uniform(900, 6000), 1), "disk_space": round(rand.uniform(60, 3000), 1),
            "inet_up": round(rand.uniform(80, 2000), 1), "inet_down": round(rand.uniform(100, 5000), 1),
        }  # fmt: skip


# The fields whose values `priced` computes.
PRICED = frozenset((
    "dph_base", "is_bid", "storage_total_cost", "discounted_hourly", "dlperf_per_dphtotal", "flops_per_dphtotal",
    "vram_costperhour", "search", "instance", "duration",
))  # fmt: skip


def total_price(offer: Offer, disk: float, *, bid: bool = False) -> float:
    """The price per hour of an offer with a disk of `disk` GB."""
    base: float = offer["min_bid"] if bid else offer["dph_base"]
    return base + float(offer["storage_cost"]) * disk / HOURS_A_MONTH


def priced(offer: Offer, disk: float, now: float, *, bid: bool = False) -> Offer:
    """The offer with prices per hour for a disk of `disk` GB, in the form that a search or an instance shows."""
    base = offer["min_bid"] if bid else offer["dph_base"]
    storage = offer["storage_cost"] * disk / HOURS_A_MONTH
    total = base + storage
    running = {
        "gpuCostPerHour": base, "diskHour": storage, "totalHour": total, "discountTotalHour": 0.0,
        "discountedTotalPerHour": total,
    }  # fmt: skip
    return {
        **offer, "dph_base": base, "is_bid": bid, "storage_total_cost": storage, "dph_total": total,
        "dph_total_adj": total, "discounted_dph_total": total, "discounted_hourly": 0.0,
        "dlperf_per_dphtotal": offer["dlperf"] / total, "flops_per_dphtotal": offer["total_flops"] / total,
        "vram_costperhour": total / offer["gpu_total_ram"], "search": running,
        "instance": {**running, "gpuCostPerHour": 0.0, "totalHour": storage, "discountedTotalPerHour": storage},
        "duration": offer["end_date"] - now,
    }  # fmt: skip
