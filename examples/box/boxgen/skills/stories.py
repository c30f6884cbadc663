# SPDX-License-Identifier: MIT
"""Short stories from a grammar: a hero of the kind asked for, a wish, an obstacle, help, an end. Wording varies, and the
answer is not one that could be checked word by word: story_is_sound() says what must hold."""
import re

from ..conversation import exchange
from ..pools import first_name, phrase, vary
from ..words import common

ASK = ["Tell me a story about a {a}.", "Tell me a story about {n} the {a}.", "A story about a {a}, please.", "Write a story about a {a}.",
       "I want a story about a {a}.", "Tell a short story about a {a}.", "Can you tell me a story about a {a}?",
       "Write a short story about a {a}.", "Tell me a story.", "Tell a story about a {a} called {n}.", "Tell me a tale about a {a}."]  # fmt: skip
FORMS = ["(Please|Can you|Could you|Will you|Now|) (tell|tell me|write|write me|give me|make up|invent) (a|another|one more|some) (short|"
         "little|nice|funny|) "
         "(story|tale) (about|of|with) a {a}.",
         "(A|Another|One) (short|little|nice|) (story|tale) (about|with) a {a}(, please|).",
         "(I want|I need|I would like|I'd like) (a|another) (short|) "
         "(story|tale) (about|with) a {a}.", "Story about a {a}.",
         "(Tell|Tell me|Give me|Write) (a|another|some) (short|) story(, please|)."]  # fmt: skip

WHERE = ["in a small village", "at the edge of a forest", "near a wide river", "on a high hill", "beside the sea", "in an old house",
         "behind a quiet mill", "under a big tree", "in a green valley", "on a little island"]  # fmt: skip
WISHES = ["find a golden {t}", "see the ocean", "learn to sing", "build a new house", "cross the river", "win the great race",
          "reach the top of the mountain", "find a friend", "get back a lost {t}", "bake the best bread", "sail to the island"]  # fmt: skip
TROUBLES = ["a storm came up", "the bridge was broken", "it was very dark", "a {q} {b} stood in the way", "the road ended at a wall",
            "nobody would help", "the map was wrong", "it began to snow"]  # fmt: skip
HELPS = ["a {q} {b} came by and showed another way", "a {q} {b} brought a lantern", "an old {p} gave good advice",
         "a {q} {b} shared some bread", "a young {p} lent a rope", "a {q} {b} sang until everybody was calm"]  # fmt: skip
ENDS = ["From then on they were best friends.", "That night everybody danced.", "And {n} was never lonely again.",
        "They still talk about it today.", "{n} slept very well that night.", "It was the best day of the year."]  # fmt: skip


def story(rng, name, animal):
    fill = lambda text: re.sub(r"\b([Aa]) (?=[aeiou])", r"\1n ", text.format(  # noqa: E731
        n=name, t=rng.choice(common.THINGS), q=rng.choice(common.QUALITIES), b=rng.choice(common.ANIMALS),
        p=rng.choice(common.PEOPLE)))
    quality = rng.choice([q for q in common.QUALITIES if q[0] not in "aeiou"])
    return " ".join((
        rng.choice(("Once upon a time", "Long ago", "One day", "Many years ago")) + f" a {quality} {animal} called {name} lived "
        + rng.choice(WHERE) + ".",
        rng.choice((f"{name} wanted to ", f"More than anything {name} wanted to ", f"Every day {name} dreamed: I want to "))
        + fill(rng.choice(WISHES)) + ".",
        rng.choice(("But ", "One morning {n} set out, but ", "On the way ")).format(n=name) + fill(rng.choice(TROUBLES)) + ".",
        rng.choice(("Then ", "Luckily ", "After a while ")) + fill(rng.choice(HELPS)) + ".",
        rng.choice((f"So {name} made it after all.", f"In the end {name} got the wish.", f"At last {name} was happy.")),
        fill(rng.choice(ENDS))))  # fmt: skip


HEROES = common.ANIMALS + """dragon unicorn dinosaur robot princess prince pirate ghost fairy kitten puppy boy girl king queen
knight wizard witch farmer sailor""".split()


def plain(rng):
    return story(rng, first_name(rng), rng.choice(HEROES))


def story_is_sound(text, name, animal):
    sentences = [s for s in text.split(".") if s.strip()]
    return 5 <= len(sentences) <= 7 and text.count(name) >= 2 and animal in sentences[0] and text.endswith(".")


def case(rng, held):
    name, animal = first_name(rng, held), rng.choice(HEROES)
    question = phrase(rng, ASK, held, FORMS)
    if "{n}" not in question:
        name = first_name(rng, False)
    text = story(rng, name, animal)
    question = question.replace("a {a}", "an {a}") if animal[0] in "aeiou" else question
    return exchange(vary(rng, question.format(a=animal, n=name), small="{n}" not in question), text)
