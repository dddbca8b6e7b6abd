"""What a cashier may read aloud when a request is refused, in English and Chinese, by reason.

No number stands in them: points are counted in the smallest unit, which nobody says aloud.
"""
# ruff: noqa: RUF001 - Chinese sentences end with a Chinese full stop.

from typing import Final, NamedTuple


class Spoken(NamedTuple):
    """One sentence in each language."""

    english: str
    chinese: str


_TECHNICAL: Final = Spoken(
    "The system did not accept this entry. Please call the help desk.",
    "系统未接受此操作，请联系技术支持。",
)
_BUSY: Final = Spoken("The points system is busy. Please try again.", "积分系统繁忙，请重试。")
_NOT_THIS_TILL: Final = Spoken(
    "This till may not do that. Please call the help desk.", "本收银台无权操作，请联系技术支持。"
)
_POLICY: Final = Spoken(
    "The points policy was not published. Please check the document.",
    "积分政策未能发布，请检查政策文件。",
)
_MONEY: Final = Spoken(
    "This currency cannot be used here. Please check the amount.",
    "此处不能使用该币种，请核对金额。",
)
_HOLD_OVER: Final = Spoken("These points are no longer reserved.", "这笔预留积分已失效或已处理。")

SPOKEN: Final[dict[str, Spoken]] = {
    "UNAUTHENTICATED": _NOT_THIS_TILL,
    "PERMISSION": _NOT_THIS_TILL,
    "MALFORMED": _TECHNICAL,
    "NOT_SERVING": Spoken(
        "The points system is not available right now. Please try again shortly.",
        "积分系统暂时无法使用，请稍后重试。",
    ),
    "QUEUE_FULL": _BUSY,
    "DEADLINE_PASSED": _BUSY,
    "REQUEST_CONFLICT": _TECHNICAL,
    "DOCUMENT_CONFLICT": Spoken(
        "This receipt was sent before with other content.", "该单据此前已提交，且内容不同。"
    ),
    "HOLD_EXISTS": Spoken("This reservation number is in use already.", "该预留编号已被使用。"),
    "POLICY_INVALID": _POLICY,
    "POLICY_EXISTS": _POLICY,
    "DRAFT_EXISTS": Spoken("This draft of the policy exists already.", "该政策草案已存在。"),
    "POLICY_NOT_DRAFTED": Spoken("There is no such draft of the policy.", "没有找到该政策草案。"),
    "POLICY_WITHDRAWN": Spoken("This policy was withdrawn.", "该政策已撤回。"),
    "APPROVER_IS_AUTHOR": Spoken(
        "A policy has to be approved by another person than its author.",
        "政策须由起草人以外的人员审批。",
    ),
    "POLICY_NOT_APPROVED": Spoken(
        "This policy is not approved by a second person.", "该政策尚未经第二人审批。"
    ),
    "POLICY_OVERLAPS": _POLICY,
    "RETROACTIVE_POLICY": _POLICY,
    "POLICY_IN_FORCE": Spoken(
        "This policy is in force and cannot be withdrawn.", "该政策已生效，不能撤回。"
    ),
    "UNKNOWN_POLICY": Spoken("There is no such points policy.", "没有找到该积分政策。"),
    "NO_POLICY": Spoken(
        "The points programme had not begun at that time.", "当时积分计划尚未生效。"
    ),
    "UNKNOWN_BUSINESS_UNIT": Spoken(
        "This business does not take part in the points programme.", "该业务单位未参加积分计划。"
    ),
    "UNKNOWN_CURRENCY": Spoken("These points cannot be used here.", "此类积分不能在此使用。"),
    "UNKNOWN_CATEGORY": Spoken(
        "The points programme does not know this kind of goods.", "积分计划中没有该商品类别。"
    ),
    "UNKNOWN_TIER": Spoken("There is no such tier.", "没有该会员等级。"),
    "UNKNOWN_ACTIVITY": Spoken("This is not known as an activity.", "系统不认识这种活动行为。"),
    "UNKNOWN_ATTRIBUTE": Spoken(
        "The points programme does not ask for this.", "积分计划不记录该会员信息。"
    ),
    "UNKNOWN_SEGMENT": Spoken("There is no such group of members.", "没有该会员群。"),
    "ATTRIBUTE_TYPE": Spoken(
        "This is not in the right form. Please check it.", "该会员信息格式不正确，请核对。"
    ),
    "UNKNOWN_PAYMENT": Spoken("This way of paying is not known.", "系统不认识这种支付方式。"),
    "UNKNOWN_REASON": Spoken(
        "This is no reason for changing points by hand.", "该原因不能用于手工调整积分。"
    ),
    "UNKNOWN_FUNDER": Spoken(
        "This business cannot pay for these points.", "该业务单位不能承担这笔积分。"
    ),
    "UNKNOWN_CONVERSION": Spoken("Points cannot be exchanged like this.", "不能这样兑换积分。"),
    "UNKNOWN_REWARD": Spoken("There is no such reward here.", "此处没有该项奖励。"),
    "FOREIGN_CURRENCY": _MONEY,
    "RATE_MISSING": _TECHNICAL,
    "OCCURRED_IN_FUTURE": Spoken(
        "The clock of this till is wrong. Please call the help desk.",
        "本收银台时间有误，请联系技术支持。",
    ),
    "TOO_LATE": Spoken(
        "This receipt is too old for the points programme.", "该单据已超过积分计划受理期限。"
    ),
    "UNKNOWN_MEMBER": Spoken("We could not find this member.", "未找到该会员。"),
    "ALREADY_ENROLLED": Spoken("This customer is a member already.", "该顾客已是会员。"),
    "IDENTITIES_DIFFER": Spoken(
        "These cards or numbers belong to different members.", "这些卡号或号码属于不同的会员。"
    ),
    "ACCOUNT_ERASED": Spoken(
        "This member's data was erased, so the account cannot be used.",
        "该会员的个人信息已删除，账户不能再使用。",
    ),
    "NOT_ERASED": Spoken("This member was not erased.", "该会员的信息未被删除。"),
    "NO_REFERRALS": Spoken(
        "There is no reward for bringing a friend at the moment.", "目前没有推荐好友奖励。"
    ),
    "SELF_REFERRAL": Spoken("Members cannot bring themselves.", "会员不能推荐自己。"),
    "ALREADY_REFERRED": Spoken(
        "It is known already who brought this member.", "该会员的推荐人已登记。"
    ),
    "REFERRAL_TOO_LATE": Spoken(
        "It is too late to say who brought this member.", "登记推荐人的期限已过。"
    ),
    "OPENING_CONFLICT": Spoken(
        "This opening balance was brought in before with other content.",
        "该期初余额此前已导入，且内容不同。",
    ),
    "OPENING_SOURCE_CHANGED": Spoken(
        "The file of opening balances has changed since the import began.",
        "期初余额文件自导入开始后已被更改。",
    ),
    "UNKNOWN_METRIC": Spoken("No tier counts this.", "没有会员等级以此计算。"),
    "TOO_MANY_CONSENTS": Spoken(
        "No more kinds of consent can be stored for this member.",
        "该会员可记录的同意事项已达上限。",
    ),
    "IDENTITY_TAKEN": Spoken(
        "This card or number belongs to another member.", "该卡号或号码已属于另一位会员。"
    ),
    "DOCUMENT_OF_ANOTHER_MEMBER": Spoken(
        "This receipt belongs to another member.", "该单据属于另一位会员。"
    ),
    "ACCOUNT_CLOSED": Spoken("This member's account is closed.", "该会员账户已关闭。"),
    "ACCOUNT_SUSPENDED": Spoken(
        "Points of this member cannot be used at present.", "该会员的积分目前不能使用。"
    ),
    "MERGING": Spoken(
        "This member's account is just being joined with another. Please try again.",
        "该会员账户正在合并，请稍后重试。",
    ),
    "MERGE_INTO_ITSELF": Spoken("This is one member already.", "这已是同一位会员。"),
    "ALREADY_MERGED": Spoken(
        "This member was joined with another before.", "该会员此前已并入另一位会员。"
    ),
    "IN_POOLS": Spoken(
        "This member has to leave shared points first.", "该会员须先退出积分共享账户。"
    ),
    "NOT_MERGED": Spoken("This member was not joined with another.", "该会员未与他人合并。"),
    "UNMERGE_FIRST": Spoken(
        "A later joining of members has to be undone first.", "须先撤销其后的会员合并。"
    ),
    "POINTS_IN_TRANSIT": Spoken(
        "Points are on their way to somebody else. Please wait until they have arrived.",
        "有积分正在转赠途中，请等待转赠完成。",
    ),
    "POINTS_RECALLED": Spoken(
        "Points of this account are being checked. Please ask again when that is done.",
        "该账户有积分正在核查，请待核查完成后再试。",
    ),
    "HOLD_OF_BOTH": Spoken(
        "A reservation has points of both members. Please end it first.",
        "有一笔预留同时占用了双方积分，请先处理该预留。",
    ),
    "IDENTITY_NOT_LINKED": Spoken(
        "This card or number is not linked to this member.", "该卡号或号码未关联此会员。"
    ),
    "ACCOUNT_NOT_EMPTY": Spoken(
        "The account still has points, so it was not closed.", "账户中仍有积分，未能关闭。"
    ),
    "UNKNOWN_ADJUSTMENT": Spoken(
        "We could not find this proposed change of points.", "未找到该笔待审批的积分调整。"
    ),
    "ADJUSTMENT_RESOLVED": Spoken(
        "This proposed change of points is over already.", "该笔积分调整已处理或已失效。"
    ),
    "APPROVER_MISSING": Spoken(
        "A second person has to agree to so many points.", "该积分数量须由第二人审批。"
    ),
    "APPROVER_IS_ACTOR": Spoken("Another person than you has to agree.", "须由您以外的人员审批。"),
    "UNKNOWN_LOT": Spoken("We could not find these points.", "未找到该批积分。"),
    "MORE_THAN_EXPIRED": Spoken(
        "That is more than has expired of these points.", "超出该批积分已过期的数量。"
    ),
    "LOT_WITHOUT_DATE": Spoken("These points have no fixed end.", "该批积分没有固定的有效期。"),
    "END_NOT_LATER": Spoken(
        "The end of points can only be moved to a later day.", "积分有效期只能延后。"
    ),
    "UNKNOWN_DOCUMENT": Spoken("We could not find this receipt.", "未找到该单据。"),
    "TOO_MANY_GUESSES": Spoken(
        "Too many wrong codes were tried. Please try again later.", "错误次数过多，请稍后再试。"
    ),
    "WRONG_RECEIPT_CODE": Spoken("The code is not that of this receipt.", "验证码与该单据不符。"),
    "ALREADY_CLAIMED": Spoken(
        "The points of this receipt have been claimed already.", "该单据的积分已被领取。"
    ),
    "CLAIM_TOO_LATE": Spoken(
        "This receipt is too old to claim its points.", "该单据已超过积分补领期限。"
    ),
    "ALREADY_THEIRS": Spoken(
        "The points of this receipt are in this account already.", "该单据的积分已在此账户中。"
    ),
    "NOT_A_RETURN": Spoken(
        "Goods of another shop can only be taken back here.", "其他门店的商品在此只能办理退货。"
    ),
    "UNKNOWN_TRANSFER": Spoken("We could not find this transfer.", "未找到该笔积分转让。"),
    "TRANSFER_RESOLVED": Spoken("This transfer is over already.", "该笔积分转让已结束。"),
    "TRANSFER_WAITS": Spoken(
        "This transfer waits for the other member to accept it.", "该笔转让正等待对方接受。"
    ),
    "NO_RELATION": Spoken(
        "These points can only go to members of the same household.",
        "该积分只能转让给同一家庭的会员。",
    ),
    "ACCOUNT_TOO_YOUNG": Spoken(
        "Both must have been members for longer to move points.",
        "双方入会时间不足，暂不能转让积分。",
    ),
    "PERIOD_NOT_OVER": Spoken("This month is not over yet.", "该月份尚未结束。"),
    "PERIOD_OUT_OF_ORDER": Spoken(
        "Another month has to be closed before this one.", "须先结算前一个月份。"
    ),
    "UNKNOWN_PERIOD": Spoken("There is no accounting for this month.", "没有该月份的结算。"),
    "UNKNOWN_POOL": Spoken("We could not find these shared points.", "未找到该共享积分账户。"),
    "POOL_NOT_OPEN": Spoken(
        "These shared points are closed and cannot be used.", "该共享积分账户已关闭，无法使用。"
    ),
    "NOT_PERMITTED_IN_POOL": Spoken(
        "The member may not do this with the shared points.", "该会员无权对共享积分进行此操作。"
    ),
    "NOT_IN_POOL": Spoken(
        "The member does not take part in these shared points.", "该会员未加入此共享积分账户。"
    ),
    "ALREADY_IN_POOL": Spoken(
        "The member takes part in these shared points already.", "该会员已加入此共享积分账户。"
    ),
    "LAST_ADMINISTRATOR": Spoken(
        "Somebody else must manage the shared points first.", "请先指定其他会员管理共享积分账户。"
    ),
    "POOL_FULL": Spoken(
        "So many members share these points that nobody else can join.",
        "共享积分账户成员已满，无法再加入。",
    ),
    "TOO_MANY_POOLS": Spoken(
        "The member shares points with too many others already.",
        "该会员加入的共享积分账户已达上限。",
    ),
    "UNKNOWN_HOLD": Spoken("We could not find this reservation of points.", "未找到该笔预留积分。"),
    "HOLD_RESOLVED": _HOLD_OVER,
    "UNKNOWN_ENTRY": Spoken(
        "We could not find the payment with points.", "未找到该笔积分支付记录。"
    ),
    "NOT_REVERSIBLE": Spoken("This entry cannot be undone.", "该笔记录不能撤销。"),
    "FEE_NOT_REVERSIBLE": Spoken("A fee cannot be given back by itself.", "手续费不能单独退回。"),
    "NO_TIER_GRANTED": Spoken(
        "No tier was granted to this member, so there is none to end.",
        "该会员没有被授予的等级，无需终止。",
    ),
    "TIER_BELOW_EARNED": Spoken(
        "The member has earned a higher tier already.", "该会员已获得更高的等级。"
    ),
    "NOT_FOR_TIER": Spoken("This is for members of another tier.", "该项仅限其他等级的会员使用。"),
    "NOT_NOW": Spoken("Points cannot be used like this today.", "目前不能以此方式使用积分。"),
    "BELOW_MINIMUM": Spoken(
        "That is less than the smallest number of points that can be used.",
        "低于单次可使用的最低积分。",
    ),
    "NOT_A_STEP": Spoken(
        "Points can only be used in fixed steps. Please choose another number.",
        "积分须按固定数量使用，请更改数量。",
    ),
    "ABOVE_MAXIMUM": Spoken(
        "That is more than can be used at once. Please choose a smaller number.",
        "超出单次可使用的最高积分，请减少数量。",
    ),
    "BASKET_SHARE_EXCEEDED": Spoken(
        "Points can pay only a part of this purchase.", "积分只能支付本次消费的一部分。"
    ),
    "LIMIT_REACHED": Spoken(
        "The limit of points for this period is reached.", "已达到本期可使用积分的上限。"
    ),
    "VELOCITY_EXCEEDED": Spoken(
        "This was done too often within a short time. Please call the help desk.",
        "短时间内操作过于频繁，请联系技术支持。",
    ),
    "INSUFFICIENT_POINTS": Spoken("There are not enough points.", "积分不足。"),
    "CLAWBACK_REFUSED": Spoken(
        "The points of this purchase have been spent, so it cannot be returned as it is.",
        "该笔消费的积分已被使用，无法直接办理退货。",
    ),
    "MORE_THAN_HELD": Spoken("That is more than was reserved.", "超出预留的积分数量。"),
    "MORE_THAN_LEFT": Spoken("That is more than can be given back.", "超出可退回的积分数量。"),
    "TOO_MANY_LOTS": _TECHNICAL,
    "POINTS_OVERFLOW": _TECHNICAL,
    "ATOMIC_REFUSED": Spoken(
        "One entry was not accepted, so none was recorded.", "其中一笔未被接受，因此全部未入账。"
    ),
}
