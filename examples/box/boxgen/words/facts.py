# SPDX-License-Identifier: MIT
"""The fixed facts: one table per relation, subject to answer."""

CAPITALS = dict(
    line.split(":")
    for line in """France:Paris Germany:Berlin Italy:Rome Spain:Madrid Portugal:Lisbon England:London Ireland:Dublin
Scotland:Edinburgh Wales:Cardiff Austria:Vienna Hungary:Budapest Poland:Warsaw Greece:Athens Turkey:Ankara Norway:Oslo
Sweden:Stockholm Denmark:Copenhagen Finland:Helsinki Iceland:Reykjavik Belgium:Brussels Netherlands:Amsterdam
Switzerland:Bern Romania:Bucharest Bulgaria:Sofia Serbia:Belgrade Croatia:Zagreb Slovenia:Ljubljana Slovakia:Bratislava
Ukraine:Kyiv Russia:Moscow Estonia:Tallinn Latvia:Riga Lithuania:Vilnius Albania:Tirana Malta:Valletta Cyprus:Nicosia
Egypt:Cairo Morocco:Rabat Algeria:Algiers Tunisia:Tunis Libya:Tripoli Kenya:Nairobi Ethiopia:Addis_Ababa Ghana:Accra
Nigeria:Abuja Senegal:Dakar Uganda:Kampala Rwanda:Kigali Zambia:Lusaka Zimbabwe:Harare Angola:Luanda Namibia:Windhoek
Japan:Tokyo China:Beijing India:Delhi Nepal:Kathmandu Thailand:Bangkok Vietnam:Hanoi Indonesia:Jakarta Iran:Tehran
Iraq:Baghdad Syria:Damascus Lebanon:Beirut Jordan:Amman Qatar:Doha Pakistan:Islamabad Mongolia:Ulaanbaatar
Canada:Ottawa Mexico:Mexico_City Cuba:Havana Jamaica:Kingston Panama:Panama_City Brazil:Brasilia Argentina:Buenos_Aires
Chile:Santiago Peru:Lima Colombia:Bogota Ecuador:Quito Bolivia:Sucre Uruguay:Montevideo Paraguay:Asuncion
Venezuela:Caracas Australia:Canberra""".replace("_", "\0").split()
)
CAPITALS = {country: city.replace("\0", " ") for country, city in CAPITALS.items()}

_CONTINENTS = {
    "Europe": """France Germany Italy Spain Portugal England Ireland Scotland Wales Austria Hungary Poland Greece Norway
    Sweden Denmark Finland Iceland Belgium Netherlands Switzerland Romania Bulgaria Serbia Croatia Slovenia Slovakia Ukraine
    Estonia Latvia Lithuania Albania Malta""",
    "Africa": """Egypt Morocco Algeria Tunisia Libya Kenya Ethiopia Ghana Nigeria Senegal Uganda Rwanda Zambia Zimbabwe
    Angola Namibia""",
    "Asia": """Japan China India Nepal Thailand Vietnam Indonesia Iran Iraq Syria Lebanon Jordan Qatar Pakistan Mongolia""",
    "North America": "Canada Mexico Cuba Jamaica Panama",
    "South America": "Brazil Argentina Chile Peru Colombia Ecuador Bolivia Uruguay Paraguay Venezuela",
}
CONTINENTS = {country: name for name, countries in _CONTINENTS.items() for country in countries.split()}


def _pairs(text):
    return [tuple(pair.split(":")) for pair in text.split()]


_OPPOSITES = _pairs(
    """hot:cold big:small tall:short up:down left:right open:closed happy:sad fast:slow light:dark day:night
black:white wet:dry full:empty old:young rich:poor hard:soft loud:quiet clean:dirty strong:weak early:late heavy:weightless
high:low near:far inside:outside above:below good:bad thick:thin wide:narrow deep:shallow sharp:blunt sweet:bitter smooth:rough
true:false always:never everything:nothing win:lose buy:sell push:pull come:go start:stop love:hate laugh:cry give:take
remember:forget asleep:awake alive:dead brave:cowardly cheap:expensive first:last front:back tight:loose safe:dangerous
simple:complicated summer:winter north:south east:west arrive:leave float:sink find:hide raise:lower noisy:silent
polite:rude calm:nervous lazy:busy same:different top:bottom"""
)
OPPOSITES = {a: b for a, b in _OPPOSITES} | {b: a for a, b in _OPPOSITES}

SOUNDS = dict(
    _pairs(
        """dog:barks cat:meows cow:moos sheep:bleats horse:neighs pig:oinks duck:quacks lion:roars wolf:howls bee:buzzes
frog:croaks snake:hisses mouse:squeaks owl:hoots rooster:crows donkey:brays crow:caws goose:honks elephant:trumpets
hen:clucks dove:coos turkey:gobbles bear:growls cricket:chirps"""
    )
)

YOUNG = dict(
    _pairs(
        """dog:puppy cat:kitten cow:calf sheep:lamb horse:foal pig:piglet duck:duckling lion:cub goose:gosling goat:kid
deer:fawn hen:chick kangaroo:joey frog:tadpole owl:owlet swan:cygnet hare:leveret eagle:eaglet seal:pup butterfly:caterpillar"""
    )
)

COLOURS = dict(
    _pairs(
        """grass:green sky:blue snow:white blood:red coal:black banana:yellow lemon:yellow tomato:red strawberry:red
cherry:red carrot:orange pumpkin:orange cucumber:green spinach:green lime:green milk:white salt:white cloud:white
chocolate:brown coffee:brown mud:brown sun:yellow raven:black night:black flamingo:pink violet:purple aubergine:purple
lavender:purple ocean:blue sapphire:blue emerald:green ruby:red gold:yellow silver:grey elephant:grey rust:brown broccoli:green
canary:yellow charcoal:black frog:green sunflower:yellow ivory:white"""
    )
)

LEGS = dict(
    _pairs(
        """dog:four cat:four cow:four horse:four spider:eight ant:six bee:six bird:two duck:two human:two snake:no
fish:no frog:four fly:six octopus:no hen:two butterfly:six scorpion:eight worm:no sheep:four goat:four crab:ten"""
    )
)

SIDES = dict(_pairs("triangle:three square:four rectangle:four pentagon:five hexagon:six heptagon:seven octagon:eight"))

SOUND_WORDS = dict(
    _pairs(
        """bark:dog woof:dog meow:cat moo:cow baa:sheep bleat:sheep neigh:horse oink:pig quack:duck roar:lion howl:wolf buzz:bee
croak:frog hiss:snake squeak:mouse hoot:owl crow:rooster bray:donkey caw:crow honk:goose cluck:hen coo:dove gobble:turkey
growl:bear chirp:cricket"""
    )
)
MEASURES = {
    s.replace("_", " "): o for s, o in _pairs(
        """days_in_a_week:7 months_in_a_year:12 hours_in_a_day:24 minutes_in_an_hour:60 seconds_in_a_minute:60 days_in_a_year:365
weeks_in_a_year:52 seasons_in_a_year:4 years_in_a_century:100 years_in_a_decade:10 letters_in_the_alphabet:26
centimetres_in_a_metre:100 metres_in_a_kilometre:1000 grams_in_a_kilogram:1000 cents_in_a_euro:100 eggs_in_a_dozen:12"""
    )
}  # fmt: skip

WEEKDAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
MONTHS = "January February March April May June July August September October November December".split()
MONTH_DAYS = dict(zip(MONTHS, "31 28 31 30 31 30 31 31 30 31 30 31".split()))
