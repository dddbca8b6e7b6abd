"""What each choice of the policy language means once it is made, in English and Chinese."""

from typing import Final

_PERIODS: Final = {
    "transaction": ("for each document", "按每张单据计"),
    "local_day": ("by the day", "按天计"),
    "local_week": ("by the week", "按周计"),
    "local_month": ("by the month", "按月计"),
    "local_year": ("by the year", "按年计"),
    "lifetime": ("for ever, without a new beginning", "永久累计且不重新开始"),
    "ladder": ("in the ladder's window", "按等级的统计期计"),
    "calendar_year": ("by the calendar year", "按日历年计"),
    "rolling_months": ("over the last months, to the day", "按最近若干个月滚动计"),
    "membership_year": ("by the year from the enrolment", "按入会周年计"),
}
_ROUNDING: Final = {
    "floor": ("rounded down", "向下取整"),
    "ceil": ("rounded up", "向上取整"),
    "half_up": ("rounded to the nearest, halves up", "四舍五入"),
    "half_even": ("rounded to the nearest, halves to even", "四舍六入五成双"),
}

CHOICES: Final[dict[str, dict[str, tuple[str, str]]]] = {
    "acceptance": {
        "required": ("who receives has to accept first", "接收人须先接受"),
        "none": ("points are received at once", "积分立即到账"),
    },
    "at": {
        "line": ("each line's part is rounded", "按每行取整"),
        "rule": ("each rule's sum is rounded", "按每条规则的合计取整"),
        "transaction": ("the document's running total is rounded", "按单据的累计值取整"),
    },
    "before_enrolment": {
        "earn": ("what occurred before the enrolment earns", "入会前发生的单据可得积分"),
        "nothing": (
            "what occurred before the enrolment earns nothing",
            "入会前发生的单据不得积分",
        ),
    },
    "claimed_since": {
        "earned": (
            "points of a claimed document live from when they were earned",
            "认领单据的积分自获得之时起计算有效期",
        ),
        "claimed": (
            "points of a claimed document live from the claim",
            "认领单据的积分自认领之时起计算有效期",
        ),
    },
    "clawback": {
        "recompute": ("what is left is evaluated anew", "对剩余部分重新计算"),
        "pro_rata_by_line": ("each returned line's share is taken back", "按退货行的份额扣回"),
    },
    "combine": {
        "first": ("the first by priority counts", "按优先级只计第一条"),
        "best_of": ("the one that gives most counts", "只计给得最多的一条"),
        "add_excess": ("what each of them adds counts", "各条增加的部分相加"),
        "product": ("they multiply one another", "各条倍数相乘"),
    },
    "distinct": {
        "document": ("each document has a number of its own", "每张单据各计一次"),
        "local_day": ("all documents of a day have one number", "同一天的单据只计一次"),
    },
    "downgrade": {
        "to_earned": ("who falls has the tier that was earned", "降级后为所达到的等级"),
        "one_step": ("who falls falls by one tier", "降级时只降一级"),
    },
    "held_points": {
        "keep": ("held points live as long as their hold", "预留的积分在预留期间不过期"),
        "expire": ("held points expire in their time", "预留的积分到期即过期"),
    },
    "lapse": {
        "expire": ("points expire when their protection ends", "保护结束时积分过期"),
        "restart": ("points live anew when their protection ends", "保护结束时积分重新计算有效期"),
    },
    "metric": {
        "qualifying_points": ("counts qualifying points", "统计定级积分"),
        "spend": ("counts what was spent", "统计消费金额"),
        "nights": ("counts nights", "统计晚数"),
        "stays": ("counts stays", "统计入住次数"),
        "visits": ("counts days with a purchase", "统计有消费的天数"),
        "purchases": ("counts purchases", "统计消费次数"),
        "counter": ("counts what a counter counts", "统计计数器的计数"),
    },
    "mode": _ROUNDING,
    "on": {
        "exact": ("multiplies before rounding", "取整之前相乘"),
        "rounded": ("multiplies after rounding", "取整之后相乘"),
    },
    "op": {
        "eq": ("has to be equal", "须等于"),
        "ne": ("must not be equal", "须不等于"),
        "in": ("has to be one of them", "须为其中之一"),
        "gte": ("has to be at least that", "须不小于"),
        "lte": ("may be at most that", "须不大于"),
        "contains": ("has to contain one of them", "须包含其中之一"),
    },
    "over_limit": {
        "write_off": ("a debt above the limit is written off", "超过上限的欠分由业务单元承担"),
        "refuse": ("what would owe more than the limit is refused", "会使欠分超过上限的变更被拒绝"),
    },
    "per": {
        "transaction": ("for each document", "按每张单据"),
        "line": ("for each line that fits", "按每个符合的行"),
        "unit": ("for each unit of quantity", "按每个数量单位"),
        "member": ("for each member", "按每位会员"),
        "household": ("for each household", "按每个家庭"),
        "campaign": ("for all members of the campaign together", "活动的全体会员合计"),
        "client": ("for each client", "按每个接入方"),
        "operator": ("for each operator", "按每位操作员"),
        "business_unit": ("for each business unit", "按每个业务单元"),
    },
    "period": _PERIODS,
    "priced": {
        "issue": ("at the price of when points were earned", "按获得积分时的价格"),
        "burn": ("at the price of when points were taken", "按使用积分时的价格"),
    },
    "reach": {
        "any_lot": ("what is missing is taken from any points", "不足部分从任何积分中扣"),
        "own_lot": (
            "nothing is taken but the document's own points",
            "只从该单据自己的积分中扣",
        ),
    },
    "refunds.tier": {
        "reevaluate": ("a refund may cost the tier", "退货可能使会员失去等级"),
        "keep": ("a refund leaves the tier as it is", "退货不影响等级"),
    },
    "relation": {
        "household": ("within a household only", "仅限同一家庭"),
        "any": ("between any members", "任何会员之间"),
    },
    "reversals": {
        "give_back": ("what is reversed leaves room again", "撤销后不再计数"),
        "keep": ("what is reversed counts all the same", "撤销后仍然计数"),
    },
    "role": {
        "spendable": ("its points can be spent", "积分可以使用"),
        "tier_qualifying": ("its points count for tiers", "积分计入等级"),
        "stamp": ("its points are stamps", "积分为印花"),
    },
    "round_to": {
        "instant": ("to the instant", "精确到时刻"),
        "day_start": ("to the beginning of the day", "到当天开始"),
        "day_end": ("to the end of the day", "到当天结束"),
        "month_end": ("to the end of the month", "到当月结束"),
        "quarter_end": ("to the end of the quarter", "到当季结束"),
        "year_end": ("to the end of the year", "到当年结束"),
    },
    "rounding": _ROUNDING,
    "second_person": {
        "named": ("the second person may be named", "可以直接写明第二人"),
        "separate": (
            "the second person agrees in a call of their own",
            "第二人须另行确认",
        ),
    },
    "since": {
        "earned": ("points live from when they were earned", "自获得之时起计算有效期"),
        "released": ("points live from when they can be spent", "自可以使用之时起计算有效期"),
    },
    "type": {
        "int": ("its values are whole numbers", "值为整数"),
        "string": ("its values are words", "值为文字"),
        "bool": ("its values are yes and no", "值为是或否"),
        "date": ("its values are days", "值为日期"),
        "string_list": ("its values are lists of words", "值为文字列表"),
    },
    "unlisted_categories": {
        "earn": ("what is not listed earns", "未列出的品类可得积分"),
        "refuse": ("what is not listed is refused", "未列出的品类被拒绝"),
    },
    "upgrade": {
        "at_once": ("a tier is given as soon as it is reached", "达到后立即升级"),
        "at_period_end": ("a tier is given at the end of the window", "统计期结束时升级"),
    },
    "upgrading_order": {
        "before": ("what reaches a tier earns at the old one", "达到等级的那笔消费按原等级计"),
        "after": ("what reaches a tier earns at the new one", "达到等级的那笔消费按新等级计"),
        "split": (
            "what reaches a tier earns at both, each its part",
            "达到等级的那笔消费按两个等级分段计",
        ),
    },
    "when_spent": {
        "arrears": ("what cannot be taken back is owed", "无法扣回的部分记为欠分"),
        "write_off": ("what cannot be taken back is written off", "无法扣回的部分由业务单元承担"),
        "refuse": (
            "a change is refused if not all can be taken back",
            "无法全部扣回时拒绝变更",
        ),
    },
    "window": _PERIODS,
    "zone": {
        "store": ("by the business unit's clock", "按业务单元的当地时间"),
        "programme": ("by the programme's clock", "按会员计划的时间"),
    },
}
"""By key, with its section where it means several things, and by value."""
