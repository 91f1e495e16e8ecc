"""The vocabulary that the made-up rows and the made-up traffic share.

The traffic has to ask for what the database holds, or every search would be a miss. Both sides therefore draw
from these lists with the same weights, and neither has to read the other.
"""

from itertools import accumulate, islice, product

ORDERS = 100_000
CUSTOMERS = 2_000
PRODUCTS = 120
REFERENCES = 6_000
FIRST_DAY = "2024-01-01"
DAYS = 731

CATEGORIES = (
    "bearings",
    "cable",
    "fasteners",
    "filters",
    "hoses",
    "lamps",
    "motors",
    "paint",
    "pumps",
    "seals",
)
CITIES = (
    "Alderwick",
    "Brackmoor",
    "Cindermouth",
    "Dunhollow",
    "Eastmere",
    "Fallowgate",
    "Greyhaven",
    "Highcombe",
)
STATUSES = {"open": 4, "packed": 4, "sent": 12, "delivered": 80}
_NOTE_WORDS = """
deliver pallet dock before noon call ahead keep dry fragile stack upright ramp gate north south yard return
crate empty weigh sign twice cold chain urgent spare part repeat order split shipment allowed no saturday
invoice with goods tail lift needed forklift on site narrow road leave behind counter lot checked sample
attached blue label second floor rear entrance
"""
_STEMS = """
Arden Birch Calder Dorn Elm Fenn Garth Holt Irwell Kestrel Larch Marl Norrow Orrin Pell Quarry Rook Sorrel
Tarn Umber Vale Wick Yarrow Zephyr
"""
_TRADES = "Bearing Bolt Cable Forge Hydraulic Lamp Motor Pump Seal Tool Valve Wire"
_FORMS = "Works Supply Trading Partners Stores Group Depot"
_FINISHES = "plain zinc brass steel nylon rubber coated sealed heavy light long short"


def zipf_weights(count: int, exponent: float) -> list[float]:
    """Cumulative weights of 1/rank^exponent, in the form that `random.choices` takes them."""
    return list(accumulate(1 / rank**exponent for rank in range(1, count + 1)))


WORDS = _NOTE_WORDS.split()
WORD_WEIGHTS = zipf_weights(len(WORDS), 0.8)
CUSTOMER_WEIGHTS = zipf_weights(CUSTOMERS, 0.5)
# Codes that stand in the orders' notes: some on thousands of orders, most on a handful.
REFERENCE_CODES = [f"rf{number:04x}" for number in range(0x1000, 0x1000 + REFERENCES)]
REFERENCE_WEIGHTS = zipf_weights(REFERENCES, 0.9)


def company_names() -> list[str]:
    """As many distinct names of companies that do not exist as there are customers."""
    parts = product(_FORMS.split(), _TRADES.split(), _STEMS.split())
    return [f"{stem} {trade} {form}" for form, trade, stem in islice(parts, CUSTOMERS)]


def product_names() -> list[str]:
    """One name a product: every category in every finish."""
    return [f"{finish} {category}" for finish, category in product(_FINISHES.split(), CATEGORIES)]
