# SPDX-License-Identifier: MIT
"""Common words by kind: for spelling, sorting, counting, copying and stories."""

ANIMALS = """ant bear bee bird camel cat cow crab crow deer dog donkey duck eagle elephant falcon fish fox frog goat goose hamster
hare hawk hedgehog hen horse kangaroo lamb lion lizard lynx mole monkey moose mouse otter owl panda parrot penguin pig pony
rabbit raven robin salmon seal shark sheep snail snake sparrow spider squirrel swan tiger toad tortoise turtle whale wolf
worm zebra badger beaver bison buffalo dolphin ferret giraffe gorilla heron jackal koala leopard magpie newt ostrich pelican
pigeon puffin quail rat rhino rooster skunk sloth stork walrus weasel wombat""".split()
FRUITS = """apple banana cherry grape lemon lime mango melon orange peach pear plum raspberry strawberry blueberry fig kiwi papaya
pineapple apricot carrot onion potato tomato pumpkin spinach cabbage lettuce radish turnip garlic celery pepper bean
cucumber broccoli ginger olive mushroom almond walnut hazelnut chestnut""".split()
THINGS = """table chair lamp window door bottle basket hammer ladder mirror pencil paper pillow blanket button candle carpet clock
curtain engine feather guitar helmet jacket kettle lantern magnet needle paddle piano pocket ribbon saddle scarf shovel
spoon sweater ticket towel trumpet umbrella violin wagon wallet whistle yarn anchor arrow ball bell bench bicycle boat book
boot bowl box bread bridge broom brush bucket cake camera card castle chain cheese coin compass crown cup drum fence flag
flute fork garden gate glass glove hat house jar kite knife map mask mug nail net oven pan pen pipe plate pot purse ring
rope sack sail salt sand shelf shoe sock sofa stone string sugar sword tent thread tower train tray truck vase wheel wire""".split()
NATURE = """beach breeze canyon cave cliff cloud desert dew field flood fog forest frost glacier hail hill island jungle lake
leaf lightning meadow mist moon mountain ocean planet pond rain rainbow river rock shadow shore sky smoke snow star storm
stream summer sun sunset thunder tide tree valley volcano wave wind winter spring autumn""".split()
QUALITIES = """angry bitter blue bold brave bright brown calm careful cheerful clever cold cool curious dark eager early empty fair
famous fast fresh friendly funny gentle golden grand great green grey grumpy happy heavy honest hungry jolly kind large late
lazy light little lonely loud lucky mighty modern narrow neat nervous new noisy old orange patient pink plain polite proud
purple quick quiet rare red rough round sad shiny short shy silent silly silver simple slow small smart smooth soft steep
strange strong sunny sweet tall thirsty tiny warm wet white wide wild wise yellow young""".split()
ACTIONS = """answer bake bring build buy carry catch chase clean climb close count cover cross cut dance dig draw dream drink drive
eat explore fall feed fetch find fix fly follow forget gather grow guess hear help hide hold hope hunt jump keep kick laugh
learn leave lift listen look march mend mix move open paint pick plant play pull push reach read rest ride ring run sail
save search sell shake share shout sing sit sleep smile speak stand start stay steal stop study swim talk taste teach
throw touch travel trust turn wait walk wander wash watch whisper win wonder work write""".split()
PEOPLE = """artist baker barber builder butcher captain carpenter clown cook dancer dentist doctor driver farmer fisher gardener
guard hunter judge king knight lawyer mason miller miner nurse painter pilot poet potter prince queen sailor scholar singer
smith soldier student tailor teacher thief trader uncle waiter weaver wizard writer brother sister mother father cousin
neighbour friend""".split()

EVERYDAY = """one two three four five six seven eight nine ten zero hundred first second third last time year month week day minute
morning evening night school class lesson test exam pupil university science maths history language sentence question answer
phone screen keyboard mouse laptop internet website email message video photo film music song radio movie game football tennis
money price bank shop market store street road city town airport station hotel restaurant hospital office
family baby child children parents husband wife boy girl man woman people person head hair face eye ear nose mouth hand
finger arm leg foot feet heart blood coffee tea milk juice beer wine food meat rice pasta soup salad butter egg sandwich
breakfast lunch dinner chocolate cookie ice job boss team meeting project plan idea problem reason news paper letter
number colour shape size line circle square triangle car bus train plane ship bike taxi ticket trip holiday weather weekend
birthday party present love hate peace war law power health beautiful difficult easy important interesting possible different
favourite because before after about always never often sometimes maybe sorry yes though through thought enough
could should friendship business beginning necessary tomorrow yesterday knowledge science physics rhythm address believe
calendar definitely embarrass environment government guarantee independent accommodate mississippi banana receive
separate success weird which where there their apples cats dogs books cars trees birds houses running walked playing
went made said came took gave found best better worse""".split()

ALL = sorted(set(ANIMALS + FRUITS + THINGS + NATURE + QUALITIES + ACTIONS + PEOPLE + EVERYDAY))
