# SPDX-License-Identifier: MIT
"""Questions as people type them: python -m boxgen.natural LIBLM [LIBLM_BOX | MODEL.gguf].

Unlike the held-out cases they are not made by the generator, and training may have seen one. Prints each question whose answer
is not the expected one, and how many were answered right.
"""
import argparse
import json
import pathlib

from .evaluate import REFUSALS, called, said
from .library import Chat

# question => answer; - stands for either sentence of refusal, ... for what may follow
PLAIN = """
hi => Hello! How can I help you?
hey => Hello! How can I help you?
hello there => Hello! How can I help you?
good morning => Hello! How can I help you?
Hi, how are you? => I am fine, thank you. How can I help you?
how r u => I am fine, thank you. How can I help you?
whats your name => I am Box, a very small language model that comes with liblm.
are you chatgpt? => I am Box, a very small language model that comes with liblm.
what can you do? => I can answer a few facts, do small sums, spell, sort, count, extract data as JSON, call tools and tell stories.
what is this => I am Box, a very small language model that comes with liblm.
thx => You are welcome!
thank you so much!! => You are welcome!
bye => Goodbye!
see you tomorrow => Goodbye!
hi I'm Jack => Nice to meet you, Jack!
tell me a joke please => Why did the byte cross the bus? To get to the other side.
that's wrong => Sorry about that. I am very small.
good bot => Thank you, that is kind.
what is 8*7? => 8 * 7 = 56.
12+30 => 12 + 30 = 42.
What is 100 minus 37? => 100 - 37 = 63.
9 times 9 => 9 * 9 = 81.
6x7 => 6 * 7 = 42.
whats 2+2 => 2 + 2 = 4.
15 + 27 = => 15 + 27 = 42.
how much is 50-18 => 50 - 18 = 32.
what does 3 times 4 equal? => 3 * 4 = 12.
add 14 to 29 => 14 + 29 = 43.
40 divided by 8 => 40 / 8 = 5.
can you add 33 and 44 for me? => 33 + 44 = 77.
What is seven plus five? => 7 + 5 = 12.
1 + 1 => 1 + 1 = 2.
capital of france => The capital of France is Paris.
whats the capital of japan => The capital of Japan is Tokyo.
What city is the capital of Peru? => The capital of Peru is Lima.
Paris is the capital of which country? => Paris is the capital of France.
of which country is Rome the capital? => Rome is the capital of Italy.
where is kenya? => Kenya is in Africa.
what continent is brazil in => Brazil is in South America.
what is the opposite of hot? => The opposite of hot is cold.
opposite of big => The opposite of big is small.
Which animal says moo? => A cow moos.
what noise does a pig make => A pig oinks.
What do cats say? => A cat meows.
how many legs does a spider have => A spider has eight legs.
how many legs do dogs have? => A dog has four legs.
what colour is the sky? => The colour of sky is blue.
what color is grass => The colour of grass is green.
what is a baby dog called => A young dog is called a puppy.
What's a baby cow called? => A young cow is called a calf.
What is a kitten? => A kitten is a young cat.
what day comes after monday => The day after Monday is Tuesday.
if today is friday, what day is tomorrow? => The day after Friday is Saturday.
what month is after june => The month after June is July.
how many days are in february => February has 28 days.
how many days in a week => There are 7 days in a week.
how many sides does a hexagon have? => A hexagon has six sides.
spell elephant => e-l-e-p-h-a-n-t
How do you spell "banana"? => b-a-n-a-n-a
can you spell giraffe for me please => g-i-r-a-f-f-e
Spell the word library. => l-i-b-r-a-r-y
how many letters in banana => b-a-n-a-n-a: 6 letters.
how many letters are in the word computer? => c-o-m-p-u-t-e-r: 8 letters.
How many r's are in strawberry? => s-t-r1-a-w-b-e-r2-r3-y: 3 times r.
How many words are in this sentence: the cat sat on the mat => 1 the, 2 cat, 3 sat, 4 on, 5 the, 6 mat: 6 words.
count the words: I like green apples => 1 I, 2 like, 3 green, 4 apples: 4 words.
How many words: one two three four five => 1 one, 2 two, 3 three, 4 four, 5 five: 5 words.
Sort these numbers please: 9, 3, 27, 1 => 1, 3, 9, 27.
sort 5, 2, 8 => 2, 5, 8.
put these in order: 40, 7, 19, 100 => 7, 19, 40, 100.
Sort these words alphabetically: zebra, apple, mango => apple, mango, zebra.
sort: dog, cat, bird => bird, cat, dog.
alphabetize pear, fig, lemon, apple => apple, fig, lemon, pear.
repeat after me: I love pizza => I love pizza.
say hello world => hello world.
what is the second word of: red green blue => green.
Extract name and place as JSON: Tom Hanks lives in Los Angeles. => {"name": "Tom Hanks", "place": "Los Angeles"}
Extract name, date, place and amount as JSON: On 3 May Anna Bradley paid $120 in Halford. => {"name": "Anna Bradley", "date": "3 May", "place": "Halford", "amount": "$120"}
extract the name and amount from: Maria paid 45 euros for dinner => {"name": "Maria", "amount": "45 euros"}
get the date from this sentence: The meeting is on 12 June in Berlin. => {"date": "12 June"}
Extract name, amount and date: John Smith sent EUR 45 on March 3rd. => {"name": "John Smith", "amount": "EUR 45", "date": "March 3rd"}
Tell me a story about a fox. => ...
tell me a story about a robot => ...
write a short story about a dragon => ...
translate good morning to French => -
how do you say cat in spanish => -
what's the weather like today? => -
who is the president of the united states => -
What is the meaning of life? => -
is a tomato a fruit? => -
who won the world cup => -
write me a python script that adds two numbers => -
how do I cook rice => -
what time is it => -
what is the square root of 144 => -
what's the best phone to buy? => -
how tall is mount everest => -
who wrote romeo and juliet? => -
explain quantum mechanics => -
should I learn rust or go? => -
what is the population of germany => -
recommend me a movie => -
"""

# question => calls
WITH_TOOLS = """
what's the weather in Berlin? => get_weather {"city": "Berlin"}
How is the weather in New York today? => get_weather {"city": "New York"}
is it raining in London right now => get_weather {"city": "London"}
weather in Tokyo => get_weather {"city": "Tokyo"}
set a timer for 10 minutes => set_timer {"minutes": 10}
start a 5 minute timer please => set_timer {"minutes": 5}
timer 20 minutes => set_timer {"minutes": 20}
what is 1234 * 5678? => calculate {"expression": "1234 * 5678"}
calculate 999+1 => calculate {"expression": "999 + 1"}
how much is 345 divided by 15 => calculate {"expression": "345 / 15"}
convert 10 miles to kilometres => convert_units {"value": 10, "from": "miles", "to": "kilometres"}
how many feet are in 3 metres? => convert_units {"value": 3, "from": "metres", "to": "feet"}
remind me to call mom at 5 pm => add_reminder {"text": "call mom", "time": "5 pm"}
Remind me at 18:30 to take out the trash. => add_reminder {"text": "take out the trash", "time": "18:30"}
search the web for cheap flights to Rome => search {"query": "cheap flights to Rome"}
look up the history of chess => search {"query": "the history of chess"}
What's the weather in Paris and in Madrid? => get_weather {"city": "Paris"}; get_weather {"city": "Madrid"}
Set a timer for 8 minutes and tell me the weather in Oslo. => set_timer {"minutes": 8}; get_weather {"city": "Oslo"}
hi =>
what is the capital of Italy? =>
"""


def lines(text):
    for line in text.strip().splitlines():
        question, _, expected = line.partition(" =>")
        yield question, expected.strip()


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("liblm")
    p.add_argument("model", help="liblm-box, or a model file that ends in .gguf")
    a = p.parse_args()
    chat = Chat(a.liblm, model=a.model) if a.model.endswith(".gguf") else Chat(a.liblm, a.model)
    tools = json.loads((pathlib.Path(__file__).parent.parent / "tools.json").read_text())
    right = total = 0
    for offered, text in ((None, PLAIN), (tools, WITH_TOOLS)):
        for question, expected in lines(text):
            message, _ = chat.run([{"role": "user", "content": question}], offered)
            if offered:
                got = "; ".join(f"{name} {json.dumps(arguments)}" for name, arguments in called(message))
            else:
                got = said(message)
            hit = got in REFUSALS if expected == "-" else got.count(".") > 4 if expected == "..." else got == expected
            right, total = right + hit, total + 1
            if not hit:
                print(f"{question} => {got or said(message)}")
    print(f"{right} of {total}")
    chat.close()


if __name__ == "__main__":
    main()
