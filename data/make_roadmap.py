"""Makes the sample of a roadmap: small, with known truth. `python data/make_roadmap.py`.

Nine initiatives of three owners on the way to loyalty in every country; three are bound to epics of
``delivery_flow``. Earlier initiatives of the same teams were announced and delivered: how late is
``SLIPS``, in days. ``product_roadmap.yaml`` stands beside the data as a file.
"""

import csv
import json
from datetime import date, timedelta
from pathlib import Path

HEADINGS = (
    "id,initiative,owner,starts,ends,weeks_low,weeks_likely,weeks_high,depends_on,confidence,"
    "kpi,gate,tickets,load,finished"
)
INITIATIVES = """\
identity,Single sign-on for customers,Platform,2026-03-02,2026-08-28,,,,,,\
"Sign-in failures: 6 % to 2 %",Failures below 2 % for two weeks,,0.5,2026-09-04
events,Order events in real time,Platform,2026-09-07,2026-11-13,8,10,16,identity,,\
"Delay of order data: 24 h to 5 min",A week of events equal to the nightly export,,0.6,
checkout,Checkout redesign,Shop,2026-05-04,2026-12-11,,,,identity,,\
"Completed checkouts: 61 % to 65 %",Experiment with a lift above 0,SHOP-2,0.3,
tracking,Parcel tracking,Shop,2026-01-12,2026-10-30,,,,,,\
"Parcel contacts: 6.2 to 4.5 per 100 orders",Baseline frozen and page in one country,SHOP-3,0.2,
loyalty,Loyalty card,Shop,2026-08-17,2027-01-22,,,,,,\
"Second orders within 90 days: 22 % to 25 %",Pilot with 500 customers,SHOP-4,0.3,
profiles,Customer profiles in one place,Data,2026-11-16,2027-01-22,9,11,17,events,,\
"Customers with one profile: 40 % to 90 %",Consent checked by Legal,,0.7,
model,Recommendation model,Data,2026-11-16,2027-01-22,,,,events,0.6,\
"Clicks on recommendations: 3 % to 5 %",Better than bestsellers in a replay,,0.6,
offers,Personal offers,Shop,2027-01-25,2027-03-05,4,6,10,checkout; loyalty; profiles; model,,\
"Revenue per visit: +3 %",Experiment with a lift above 0,,0.6,
rollout,All five countries,Platform,2027-03-08,2027-03-31,,,,offers; tracking,,\
"Countries served: 1 to 5",Go of the launch readiness,,0.8,
"""
EARLIER = (
    "wish lists, gift cards, store stock, invoices, refunds, price alerts, reviews, size guide, "
    "push messages, guest orders, address check, stock alerts, help centre, dark mode"
)
SLIPS = (0, 7, 14, 63, 21, 42, 84, -7, 28, 35, 49, 56, 14, 84)
"""Days from the date that was announced first to delivery: 35 on average."""
AGAIN = 21
"""Days of slip from which a later date was announced before delivery."""
FIRST, EVERY, AHEAD = date(2024, 10, 7), timedelta(35), timedelta(98)
"""When the first was announced, how long after it the next, how far ahead its date was."""
PLANNED, AS_OF = date(2027, 3, 31), date(2026, 10, 5)


def announcements() -> list[tuple[object, ...]]:
    """Return initiative, day of the announcement, announced date, and delivery where it is told."""
    rows: list[tuple[object, ...]] = []
    for place, (name, slip) in enumerate(zip(EARLIER.split(", "), SLIPS, strict=True)):
        announced = FIRST + EVERY * place
        due, delivered = announced + AHEAD, announced + AHEAD + timedelta(slip)
        again = slip >= AGAIN
        rows.append((name, announced, due, "" if again else delivered))
        if again:
            rows.append((name, due - timedelta(14), delivered - timedelta(7), delivered))
    rows.append(("checkout", date(2026, 5, 4), date(2026, 11, 13), ""))
    rows.append(("checkout", date(2026, 9, 7), date(2026, 12, 11), ""))
    return sorted(rows, key=lambda row: (str(row[1]), str(row[0])))


def truth() -> dict[str, object]:
    """Return what generated the files, as ``product_roadmap_truth.json`` states it."""
    return {
        "as_of": str(AS_OF),
        "planned": str(PLANNED),
        "late": True,
        "path": ["checkout", "offers", "rollout"],
        "merges": {"offers": ["checkout", "loyalty", "profiles", "model"]},
        "bound": {"checkout": "SHOP-2", "tracking": "SHOP-3", "loyalty": "SHOP-4"},
        "finished": ["identity"],
        "above_one": {"owner": "Data", "load": 1.3},
        "earlier": {"count": len(SLIPS), "mean_slip_days": sum(SLIPS) / len(SLIPS)},
    }


def main() -> None:
    """Write the files beside this one."""
    folder = Path(__file__).parent / "sample"
    sheet = f"{HEADINGS}\n{INITIATIVES}"
    (folder / "product_roadmap_initiatives.csv").write_text(sheet, "utf-8", newline="\n")
    with (folder / "product_roadmap_announced.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("initiative", "announced", "date", "delivered"))
        writer.writerows(announcements())
    said = json.dumps(truth(), indent=1)
    (folder / "product_roadmap_truth.json").write_text(f"{said}\n", "utf-8", newline="\n")


if __name__ == "__main__":
    main()
