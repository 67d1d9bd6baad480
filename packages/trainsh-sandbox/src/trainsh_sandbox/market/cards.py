"""The GPU models of the market, with the figures that offers show."""

import msgspec


class Card(msgspec.Struct, frozen=True):
    """One GPU model.

    `memory` is in MB, as the GPU reports it. `price` is in $/h for one GPU. The other figures are in TFLOPS and in
    GB/s.
    """

    name: str
    memory: int
    price: float
    flops: float
    dlperf: float
    bandwidth: float
    capability: int
    share: int


CARDS = (
    Card("RTX 4090", 24564, 0.38, 82.3, 104.8, 905.4, 890, 24),
    Card("RTX 5090", 32607, 0.52, 104.9, 168.0, 1510.0, 1200, 12),
    Card("RTX 3090", 24576, 0.19, 35.5, 44.1, 830.0, 860, 18),
    Card("RTX 3080", 10240, 0.11, 29.8, 29.0, 700.0, 860, 6),
    Card("RTX 3060", 12288, 0.07, 12.7, 13.6, 330.0, 860, 6),
    Card("RTX 4070 Ti", 12282, 0.15, 40.1, 47.0, 470.0, 890, 5),
    Card("RTX A6000", 49140, 0.46, 38.7, 46.0, 700.0, 860, 6),
    Card("RTX 6000Ada", 49140, 0.74, 91.1, 105.0, 880.0, 890, 4),
    Card("A100 PCIE", 40960, 0.62, 19.5, 108.0, 1360.0, 800, 4),
    Card("A100 SXM4", 81920, 0.98, 19.5, 140.0, 1760.0, 800, 6),
    Card("H100 SXM", 81559, 2.05, 67.0, 420.0, 2900.0, 900, 6),
    Card("H100 NVL", 95830, 1.95, 60.0, 360.0, 3300.0, 900, 3),
    Card("H200", 143771, 2.60, 67.0, 455.0, 4100.0, 900, 3),
    Card("B200", 183359, 3.90, 80.0, 860.0, 7000.0, 1000, 2),
    Card("L40S", 46068, 0.65, 91.6, 96.0, 780.0, 890, 5),
    Card("L4", 23034, 0.28, 30.3, 28.0, 270.0, 890, 4),
    Card("A40", 46068, 0.36, 37.4, 39.0, 630.0, 860, 4),
    Card("Tesla T4", 15360, 0.14, 8.1, 9.2, 290.0, 750, 4),
    Card("Tesla V100", 32768, 0.24, 15.7, 27.0, 810.0, 700, 3),
)
COUNTS = (1, 1, 1, 1, 1, 2, 2, 4, 4, 8)
PLACES = (
    ("Quebec, CA", 1128362), ("California, US", 2100001), ("Texas, US", 2100002), ("Virginia, US", 2100003),
    ("Sweden, SE", 3100001), ("Norway, NO", 3200001), ("Germany, DE", 3300001), ("France, FR", 3400001),
    ("Poland, PL", 3500001), ("Japan, JP", 4100001), ("South Korea, KR", 4200001), ("Australia, AU", 5100001),
)  # fmt: skip
