"""Each rule for films told in shots catches a bad film and passes a good one."""

from dataclasses import dataclass, replace
from itertools import combinations, product

import numpy as np
import pytest
from coloraide import Color

from astrai_sim.trace import Trace
from scenes.draw import canvas
from scenes.draw.atoms import Block, Line, Text
from scenes.draw.crossing import Ways
from scenes.draw.layout import Box
from scenes.film.quality import PREVIEW
from scenes.lint.rules.film import LEAST, CaptionTime, FirstFrame, Still, TaskColors, differences
from scenes.lint.rules.pictures import TextOverlap
from scenes.lint.rules.shots import Acting, Blink, Hero, Seams, Wires, shared
from scenes.parts.part import Part
from scenes.parts.pool import Pool
from scenes.stage.shot import Act, Section
from scenes.theme import DARK, THEMES
from tests.lint.shots import STAGE, TRACE, Drawn, act, block, findings, section, shot

LEFT, RIGHT = ("a",), ("b",)


def going(seconds, *more, times=1):
    """Acts in which a box goes right and left, each so long."""
    places = [(LEFT, block(200 + 900 * (i % 2))) for i in range(times + 1)]
    return [act(place, *more, seconds=seconds if i else None) for i, place in enumerate(places)]


class TestStill:
    def test_a_film_that_moves(self):
        film = section(shot("Because.", *going(2.0, times=4)))
        assert findings(Still(), film) == []

    def test_a_film_that_mostly_stands(self):
        stand = act((LEFT, block(1100)), seconds=1.0)
        film = section(shot("Because.", *going(1.0), stand, *going(1.0), stand))
        (found, *_) = findings(Still(), film)
        assert found.mobjects == ("whole film",) and "at most 25%" in found.detail

    def test_a_long_still_stretch(self):
        film = section(shot("Because.", *going(3.0), act((LEFT, block(1100)), seconds=1.3), *going(9.0)))
        (found,) = findings(Still(), film)
        assert "nothing moves for" in found.detail and found.section == "one"

    def test_still_stretches_add_up(self):
        stand = act((LEFT, block(1100)), seconds=0.7)
        film = section(shot("Because.", *going(3.0), stand, stand, *going(9.0)))
        (found,) = findings(Still(), film)
        assert "nothing moves for 1.4 s" in found.detail

    def test_a_still_stretch_over_a_seam_is_one(self):
        stand = act((LEFT, block(1100)), seconds=0.9)
        before, after = section(shot("Because.", *going(9.0), stand)), shot(None, stand, *going(9.0))
        (found,) = findings(Still(), before, section(after, key="two"))
        assert found.section == "one" and "nothing moves for" in found.detail

    def test_a_film_that_ends_still(self):
        film = section(shot("Because.", *going(9.0), act((LEFT, block(1100)), seconds=1.5)))
        (found,) = findings(Still(), film)
        assert "nothing moves for" in found.detail

    def test_a_declared_rest_may_be_longer(self):
        film = section(shot("Because.", *going(9.0, times=2), rest=1.9), shot(None, *going(3.0)))
        assert findings(Still(), film) == []

    def test_rests_are_few_and_short(self):
        shots = [shot("Because.", *going(9.0), rest=seconds) for seconds in (1.0, 2.5, 1.0, 1.0)]
        kinds = {found.detail for found in findings(Still(), section(*shots))}
        assert kinds == {"lasts 2.5 s: at most 2 s", "is one more than 3"}

    def test_a_caption_that_changes_is_no_movement(self):
        film = section(shot("Because.", *going(1.0)), *(shot(f"Word {c}.", going(1.0)[1]) for c in "abcdef"))
        assert any(found.mobjects == ("whole film",) for found in findings(Still(), film))

    def test_numbers_that_swap_are_a_movement_while_they_glow(self):
        texts = [(("n",), Text(text=word, at=(400, 400), color="#FFFFFF")) for word in ("one", "two", "three")]
        film = section(shot("Because.", *(act(text) for text in texts)))
        assert findings(Still(), film) == []


class TestCaptions:
    SENTENCE = "A sentence of just forty-five characters, ok."

    def test_read_over_motion(self):
        assert findings(CaptionTime(), section(shot(self.SENTENCE, *going(3.0)))) == []

    def test_read_over_a_picture_that_stands(self):
        still = act((LEFT, block(1100)), seconds=3.5)
        film = section(shot("Because.", *going(1.0)), shot(self.SENTENCE, going(1.0)[1], still))
        (found,) = findings(CaptionTime(), film)
        assert "reading it takes 3.0 s and the picture moves for 0.0 s" in found.detail

    def test_a_rest_counts(self):
        film = section(shot(self.SENTENCE, *going(1.2), rest=2.0))
        assert findings(CaptionTime(), film) == []

    @pytest.mark.parametrize("length, right", [(60, True), (61, False)])
    def test_at_most_sixty_characters(self, length, right):
        found = findings(CaptionTime(), section(shot("x" * length, *going(5.0))))
        assert [f.detail.split(":")[0] for f in found] == ([] if right else ["61 characters"])


class TestHero:
    def judged(self, *atoms, subject=("drawn", "a")):
        return [f.detail for f in findings(Hero(), section(shot("Because.", act(*atoms), subject=subject)))]

    def test_large_and_named(self):
        assert self.judged((LEFT, block(200)), (RIGHT, block(1300))) == []

    def test_no_subject(self):
        assert self.judged((LEFT, block(200)), subject=()) == ["names no subject"]

    def test_a_subject_that_is_not_there(self):
        assert "nothing on the picture" in self.judged((LEFT, block(200)), subject=("drawn", "c"))[0]

    def test_a_small_hero(self):
        assert "takes 52% of the stage" in self.judged((LEFT, block(200, w=900)))[0]

    def test_a_small_object(self):
        assert "is 150 px long" in self.judged((LEFT, block(200, w=150, h=100)), (RIGHT, block(1400)))[0]

    @pytest.mark.parametrize("height, lit, right", [(200, 2, True), (200, 3, False), (90, 3, True)])
    def test_lit_beside_it(self, height, lit, right):
        hero = Drawn(((LEFT, block(200, w=1000)),))
        others = [Drawn(((RIGHT, block(200, 500, h=height)),), name=f"o{i}", lit=i < lit) for i in range(3)]
        film = section(shot("Because.", Act(-1, (hero, *others))))
        found = [f.detail for f in findings(Hero(), film)]
        assert found == ([] if right else ["o0, o1, o2 are lit beside its hero: at most 2"])

    @pytest.mark.parametrize("height, right", [(48, True), (40, False)])
    def test_a_bit(self, height, right):
        bit = ("a", "bit"), block(200, w=40, h=height)
        found = self.judged(bit, (RIGHT, block(1400)), subject=("drawn", "a", "bit"))
        assert found == ([] if right else ["its subject ('drawn', 'a', 'bit') is 40 px high: at least 48"])

    def test_what_is_gone_at_the_end_was_there(self):
        acts = act((LEFT, block(200)), (RIGHT, block(1300))), act((RIGHT, block(1300)))
        assert findings(Hero(), section(shot("Because.", *acts, subject=("drawn", "a")))) == []


class TestActing:
    @pytest.mark.parametrize("caption", ["Page 4 is free.", "This one: 4.", "The page is free.", "All pages are free."])
    def test_named(self, caption):
        picture = act(((4, "frame"), block(200, acting=True)), name="pool")
        assert findings(Acting(), section(shot(caption, picture))) == []

    @pytest.mark.parametrize("caption", ["The queue is long.", "A waits.", None, "Page-less words.", "44 of them"])
    def test_not_named(self, caption):
        picture = act(((4, "frame"), block(200, acting=True)), name="pool")
        (found,) = findings(Acting(), section(shot(caption, picture)))
        assert found.mobjects == ("('pool', 4)",) and "does not name it" in found.detail

    def test_the_line_that_runs_needs_no_name(self):
        assert findings(Acting(), section(shot("A waits.", act((("cursor",), block(200, acting=True)))))) == []


class TestWires:
    def wires(self, *ways):
        lines = [((i,), Line(points=np.array(way, float), color="#FFFFFF", head=True)) for i, way in enumerate(ways)]
        return findings(Wires(), section(shot("Because.", act(*lines))))

    def test_apart(self):
        assert self.wires([(200, 200), (200, 600)], [(212, 200), (212, 600)]) == []

    def test_they_may_cross(self):
        assert self.wires([(200, 200), (600, 600)], [(600, 200), (200, 600)]) == []

    def test_along_each_other(self):
        (found,) = self.wires([(200, 200), (200, 600)], [(500, 300), (202, 300), (202, 500)])
        assert "share 200 px" in found.detail

    def test_one_after_the_other_shares_nothing(self):
        first, second = np.array([(0, 0), (100, 0)]), np.array([(120, 0), (200, 0)])
        assert shared(first, second) <= 0 < shared(first, second - (40, 0))


class TestSeams:
    def judged(self, *second, **options):
        first = section(shot("Because.", act((LEFT, block(200)))))
        return findings(Seams(), first, section(*second, key="two", **options))

    def test_goes_on(self):
        assert self.judged(shot("And so on.", act((RIGHT, block(900))))) == []

    def test_a_declared_cut(self):
        assert self.judged(shot("And so on.", act((RIGHT, block(900)))), cut=True) == []

    def test_a_jump(self):
        pool = lambda caption, start: Section("s", "S", start, (shot(caption, Act(start, (Pool(),))),))  # noqa: E731
        found = findings(Seams(), pool("Because.", -1), replace(pool(None, 300), key="two"))
        assert "differ from the end" in found[0].detail and found[0].section == "two"

    @pytest.mark.parametrize("last", ["Said last.", None])
    def test_the_sentence_that_stands_at_the_end_stands_at_the_next_beginning(self, last):
        first = section(shot("Because.", act((LEFT, block(200)))), shot(last, act((LEFT, block(900)))))
        film = (
            first,
            section(shot(None, act((RIGHT, block(200)))), key="two"),
            section(shot("End.", act()), key="three"),
        )
        assert findings(Seams(), *film) == []


@dataclass(frozen=True)
class InPhase(Part):
    """Shows a box while the run is in a prefill phase, unless it is `away`."""

    away: bool = False

    def draw(self, view, box):
        if view.state.phase == "prefill" and not self.away:
            yield LEFT, block(200)


class TestBlink:
    def blinks(self, *acts, **options):
        return findings(Blink(), section(shot("Because.", *acts), **options))

    def test_gone_and_back(self):
        there, away = act((LEFT, block(200)), (RIGHT, block(900))), act((RIGHT, block(900)))
        (found,) = self.blinks(there, away, there)
        assert found.mobjects == ("('drawn', 'a')",)

    def test_back_as_something_else(self):
        there, away = act((LEFT, block(200)), (RIGHT, block(900))), act((RIGHT, block(900)))
        assert self.blinks(there, away, act((LEFT, block(250)), (RIGHT, block(900)))) == []

    def test_back_in_the_next_shot(self):
        there, away = act((LEFT, block(200)), (RIGHT, block(900))), act((RIGHT, block(900)))
        assert findings(Blink(), section(shot("Because.", there, away), shot("Then.", there))) == []

    @pytest.mark.parametrize("hidden", [False, True])
    def test_taken_away_and_brought_back_by_the_run(self, hidden):
        events = [event for event in Trace.open(TRACE) if event.event == "phase_begin"]
        prefill, decode = (
            next(e for e in events if e.phase == phase and e.step > 0) for phase in ("prefill", "decode")
        )
        again = next(event for event in events if event.phase == "prefill" and event.seq > decode.seq)
        acts = [Act(event.seq, (InPhase(),)) for event in (prefill, decode, again)]
        if hidden:
            acts += [Act(again.seq, (InPhase(away=True),)), acts[-1]]
        assert len(self.blinks(*acts)) == hidden


class TestFirstFrame:
    @pytest.mark.parametrize("width, right", [(700, True), (400, False)])
    def test_ink(self, width, right):
        found = findings(FirstFrame(), section(shot("Because.", act((LEFT, block(200, w=width, h=250))))))
        assert [f.mobjects for f in found] == ([] if right else [("first frame",)])

    def test_what_is_hardly_lighter_than_the_ground_is_no_ink(self):
        ground = Block(box=STAGE, fill="#161C26")
        assert findings(FirstFrame(), section(shot("Because.", act((LEFT, ground)))))

    def test_later_sections_may_be_dark(self):
        first = section(shot("Because.", act((LEFT, block(200, w=1000, h=400)))))
        assert findings(FirstFrame(), first, section(shot("Then.", act()), key="two", cut=True)) == []


class TestTextsOnTheirWay:
    def crossing(self, **options):
        """A word in `a` goes over to where `b`, which stays, is passed."""
        look = {"px": 40, "color": "#FFFFFF"}
        words = [((key,), Text(text=key * 6, at=(x, 400), **look)) for key, x in (("a", 200), ("b", 700))]
        moved = ("a",), Text(text="aaaaaa", at=(1300, 400), **look)
        return findings(TextOverlap(), section(shot("Because.", act(*words), act(moved, words[1], seconds=2.0))))

    def test_one_that_would_cross_another_fades(self):
        assert self.crossing() == []

    def test_crossing_is_found(self, monkeypatch):
        monkeypatch.setattr(canvas, "crossing", lambda before, after: Ways())
        (found,) = self.crossing()
        assert set(found.mobjects) == {"DrawnText 'aaaaaa'", "DrawnText 'bbbbbb'"}


class TestHues:
    @pytest.mark.parametrize("name", THEMES)
    def test_every_theme_can_be_told_apart(self, name):
        look = THEMES[name]
        pairs = [*combinations(look.hues, 2), *product(look.hues, (*look.crowd, look.accent))]
        assert min(min(differences(*pair).values()) for pair in pairs) >= LEAST

    @pytest.mark.parametrize("name", THEMES)
    def test_text_is_readable_on_ground_and_panel(self, name):
        look = THEMES[name]
        for color, ground in product((*look.hues, look.alarm, look.text, look.muted), (look.ground, look.panel)):
            assert Color(color).contrast(ground) >= 4.5

    def test_a_hue_like_the_crowds_is_found(self):
        pale = PREVIEW.shaped(theme=replace(DARK, hues=("#37A5FB", "#D0D0D0"), accent="#D4D4D4"))
        alike = ("#D0D0D0", "#D4D4D4")
        boxes = [((hue,), Block(box=Box(200 + 400 * i, 300, 300, 300), fill=hue)) for i, hue in enumerate(alike)]
        (found,) = findings(TaskColors(), section(shot("Because.", act(*boxes))), quality=pale)
        assert found.mobjects == alike
