"""The month's vouchers and balances, which the accountant makes early in the next month."""

from collections import defaultdict
from typing import Any

from plant.legacy import kis
from plant.model.world import World
from plant.record.faults import Faults
from plant.record.kis_data import ACCOUNT_IDS, CLASS_CUSTOMER, CLASS_SUPPLIER
from plant.record.wms import Move

# WMS move type: explanation, debit account, credit account.
BOOKINGS = {
    "PURCHASE": ("外购入库", "1403", "2202"),
    "ISSUE": ("生产领料", "5001.01", "1403"),
    "RETURN": ("生产领料", "5001.01", "1403"),
    "RECEIPT": ("产品入库", "1405", "5001.01"),
    "SHIP": ("结转销售成本", "6401", "1405"),
}
OPENING = {"1002": 6_000_000.0, "1601": 24_000_000.0, "1403": 4_000_000.0, "4001": -34_000_000.0}
LAG_SHARE = 0.05

Booking = tuple[str, str, str, int, float]  # explanation, debit, credit, dimension, amount
Bill = tuple[dict[str, Any], Move, float]


class KisLedger:
    """Writes vouchers, dimensions and account balances month by month."""

    def __init__(self, world: World, faults: Faults) -> None:
        self._world, self._book, self._faults = world, world.book, faults
        self._rng = world.chance("kis-ledger")
        self._voucher = 0
        self._details: dict[tuple[int, int], int] = {}
        self._balance: dict[tuple[str, int], float] = {(a, 0): v for a, v in OPENING.items()}
        self._year_debit: dict[tuple[str, int], float] = defaultdict(float)
        self._year_credit: dict[tuple[str, int], float] = defaultdict(float)
        self._postponed: list[tuple[Booking, list[dict[str, Any]]]] = []

    def close_month(self, year: int, month: int, bills: list[Bill]) -> None:
        """Make last month's vouchers from its bills, then the balances."""
        groups, sources = self._group(bills)
        todo = [(booking, sources[place]) for place, booking in enumerate(groups)]
        todo += [((*plain, 0, amount), []) for plain, amount in self._fixed_costs(groups)]
        postponed: list[tuple[Booking, list[dict[str, Any]]]] = []
        moved: dict[tuple[str, int], list[float]] = defaultdict(lambda: [0.0, 0.0])
        carried, self._postponed = self._postponed, postponed
        for booking, origin in todo:
            late = origin and self._rng.random() < LAG_SHARE
            (postponed if late else carried).append((booking, origin))
        for number, (booking, origin) in enumerate(carried, start=1):
            self._write_voucher(year, month, number, booking, origin, moved)
        self._write_balances(year, month, moved)

    def _group(self, bills: list[Bill]) -> tuple[list[Booking], list[list[dict[str, Any]]]]:
        sums: dict[tuple[str, str, str, int, str], float] = defaultdict(float)
        origins: dict[tuple[str, str, str, int, str], list[dict[str, Any]]] = defaultdict(list)
        for bill, move, amount in bills:
            if move.kind not in BOOKINGS or not amount:
                continue
            words, debit, credit = BOOKINGS[move.kind]
            detail = self._detail(CLASS_SUPPLIER, bill["FSupplyID"]) if credit == "2202" else 0
            day = "" if detail else str(bill["FDate"])[:10]
            key = (words, debit, credit, detail, day)
            sums[key] += amount
            origins[key].append(bill)
            if move.line is not None:
                detail = self._detail(CLASS_CUSTOMER, bill["FSupplyID"])
                sale = ("销售收入", "1122", "6001", detail, "")
                sums[sale] += round(move.qty * move.line.price, 2)
                origins[sale].append(bill)
        keys = [key for key in sums if round(sums[key], 2)]
        groups = [(key[0], key[1], key[2], key[3], round(sums[key], 2)) for key in keys]
        return groups, [origins[key] for key in keys]

    def _fixed_costs(self, groups: list[Booking]) -> list[tuple[tuple[str, str, str], float]]:
        sales = sum(amount for _, _, credit, _, amount in groups if credit == "6001")
        owed = sum(amount for _, _, credit, _, amount in groups if credit == "2202")
        wages = round(820_000 * self._rng.uniform(0.95, 1.08), 2)
        return [
            (("计提工资", "5001.02", "2211"), wages),
            (("发放工资", "2211", "1002"), wages),
            (("计提折旧", "5101", "1602"), 185_000.0),
            (("水电费", "5101", "1002"), round(96_000 * self._rng.uniform(0.9, 1.2), 2)),
            (("管理费用", "6602", "1002"), round(210_000 * self._rng.uniform(0.9, 1.1), 2)),
            (("收回货款", "1002", "1122"), round(sales * self._rng.uniform(0.7, 0.95), 2)),
            (("支付货款", "2202", "1002"), round(owed * self._rng.uniform(0.6, 0.9), 2)),
        ]

    def _detail(self, klass: int, ident: int) -> int:
        key = (klass, ident)
        if key not in self._details:
            self._details[key] = len(self._details) + 1
            customer = ident if klass == CLASS_CUSTOMER else 0
            supplier = ident if klass == CLASS_SUPPLIER else 0
            self._book.put(
                kis.ITEM_DETAIL,
                FDetailID=self._details[key],
                FDetailCount=1,
                F1=customer,
                F2=0,
                F3=0,
                F8=supplier,
            )
            self._book.put(
                kis.ITEM_DETAIL_V, FDetailID=self._details[key], FItemClassID=klass, FItemID=ident
            )
        return self._details[key]

    def _write_voucher(
        self,
        year: int,
        month: int,
        number: int,
        booking: Booking,
        origin: list[dict[str, Any]],
        moved: dict[tuple[str, int], list[float]],
    ) -> None:
        words, debit, credit, detail, amount = booking
        self._voucher += 1
        date = f"{year}-{month:02d}-{28 if not origin else self._day(year, month, origin):02d}"
        if origin and not str(origin[0]["FDate"]).startswith(f"{year}-{month:02d}"):
            self._faults.note(
                "voucher_lags_month", "kis", "t_Voucher", str(self._voucher), detail=words
            )
        self._book.put(
            kis.VOUCHER,
            FVoucherID=self._voucher,
            FBrNo="0",
            FDate=f"{date} 00:00:00",
            FTransDate=f"{date} 00:00:00",
            FYear=year,
            FPeriod=month,
            FGroupID=1,
            FNumber=number,
            FReference="",
            FExplanation=words,
            FEntryCount=2,
            FDebitTotal=amount,
            FCreditTotal=amount,
            FChecked=1,
            FPosted=1,
            FInternalInd=1 if origin else 0,
            FModifyTime=self._world.text(self._world.now),
        )
        for entry, (account, side) in enumerate(((debit, 1), (credit, 0))):
            own = detail if account in ("1122", "2202") else 0
            self._book.put(
                kis.VOUCHER_ENTRY,
                FVoucherID=self._voucher,
                FEntryID=entry,
                FExplanation=words,
                FAccountID=ACCOUNT_IDS[account],
                FDetailID=own,
                FDC=side,
                FAmountFor=amount,
                FAmount=amount,
                FQuantity=0,
                FUnitPrice=0,
            )
            moved[account, own][1 - side] += amount
        for bill in origin:
            if booking[0] != "销售收入":
                bill.update(
                    FVchInterID=self._voucher,
                    FPosted=1,
                    FModifyTime=self._world.text(self._world.now),
                )
                self._book.put(kis.IC_STOCK_BILL, **bill)

    def _day(self, year: int, month: int, origin: list[dict[str, Any]]) -> int:
        date = str(origin[-1]["FDate"])
        return int(date[8:10]) if date.startswith(f"{year}-{month:02d}") else 1

    def _write_balances(
        self, year: int, month: int, moved: dict[tuple[str, int], list[float]]
    ) -> None:
        if month == 1:
            self._year_debit.clear()
            self._year_credit.clear()
        for key in sorted(set(self._balance) | set(moved)):
            debit, credit = (round(value, 2) for value in moved.get(key, (0.0, 0.0)))
            begin = round(self._balance.get(key, 0.0), 2)
            end = round(begin + debit - credit, 2)
            self._balance[key] = end
            self._year_debit[key] += debit
            self._year_credit[key] += credit
            account, detail = key
            self._book.put(
                kis.BALANCE,
                FYear=year,
                FPeriod=month,
                FAccountID=ACCOUNT_IDS[account],
                FDetailID=detail,
                FCurrencyID=1,
                FBeginBalance=begin,
                FDebit=debit,
                FCredit=credit,
                FYtdDebit=round(self._year_debit[key], 2),
                FYtdCredit=round(self._year_credit[key], 2),
                FEndBalance=end,
            )
