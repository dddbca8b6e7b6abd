"""A clerk's model of the ledger: plain dictionaries and lists, written from the words of the docs.

It knows nothing of events, lanes or policies, and shares no code with the ledger. Times are whole
seconds since an arbitrary midnight in UTC. It plays the programme of `tests/machine/programme.py`:

* 1 point for each whole 1.00 of food, at once; a bonus of 50 from 100.00 of food on, which waits
  for 14 days. Points live 30 days, to the end of that day. Gift cards earn nothing.
* A member gets at most 260 base points a week, and all together 120 points of bonus a month.
* A household, or who has none, gets at most 600 points a month.
* What is bought counts for a tier of the calendar year: silver earns half as much again, gold
  twice, from the next document on. A tier lasts a month; a return may end it at once.
* Burns of 1 point or more, holds time out after 72 hours, reversals grant no grace.
* What was spent and has to be taken back is owed, and repaid by later awards.
* A document without a member can be claimed with its receipt's code for 3 days; its points live
  from then.
* Points go to others of the household at once, to anybody else once they are accepted.
* Points become miles, which live for 7 days, and miles become points.
* Members become one and two again; everything stays whose it was.
* Members put points into pools, spend from them, and take home what is left of their own.
* Points of a lot are recalled: set aside, given back, or taken.
* Members are suspended (they earn, and spend nothing), closed (nothing but corrections is taken,
  and what becomes available expires), and take part again.
* An older programme's file brings points, what counts for tiers, and gold for a while.
* Who brings a member within 20 days has 40 points for what they buy within 15 days.
* Members are erased: nobody is known by their cards any more, and their points expire or are kept.
"""

from tests.machine.bringing import Bringing
from tests.machine.journeys import Journeys
from tests.machine.lives import Lives
from tests.machine.openings import Openings
from tests.machine.spending import Spending


class Clerk(Bringing, Spending, Journeys, Lives, Openings):
    """Does by hand all that the ledger does."""

    def unmerge(self, source: str, now: int) -> None:
        """Two again; what they brought somebody is seen anew."""
        super().unmerge(source, now)
        self.look_again(source, now)
