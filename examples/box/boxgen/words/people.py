# SPDX-License-Identifier: MIT
"""First names, and parts that family names and place names are put together from."""

FIRST_NAMES = """Anna Ben Clara David Emma Felix Grace Henry Irene Jack Kate Leo Maria Noah Olivia Peter Quinn Rosa Simon Tina
Ursula Victor Wendy Xavier Yara Zoe Adam Bella Carlos Diana Eric Fiona George Hannah Ivan Julia Kevin Laura Martin Nina
Oscar Paula Robert Sara Thomas Uma Vera Walter Yusuf Zara Alice Bruno Cecilia Daniel Elena Frank Gina Hugo Ida James Karen
Lucas Mona Nathan Otto Petra Ralph Sophie Theo Valerie William Yvonne Amir Bianca Chen Dora Elias Farah Gustav Helen
Ismail Jana Karl Lena Mateo Nora Omar Priya Rania Stefan Tara Viktor Wei Yuki Arthur Beatrice Conrad Delia Edgar Flora
Gilbert Hilda Igor Joan Klaus Lydia Magnus Nadia Oliver Pia Rufus Sylvia Tobias Vivian Wilma Aaron Bonnie Caleb Daisy Ethan
Freya Gavin Hazel Isaac Jasmine Keith Lily Miles Naomi Owen Phoebe Roland Stella Trevor Violet Wesley Abigail Brian Carmen
Dennis Esther Fred Gloria Howard Isabel Jonas Kira Louis Mabel Nelson Opal Paul Ruth Samuel Teresa Vincent Amelia Boris Chloe
Dylan Eva Finn Greta Harold Ingrid Jerome Katrin Lars Mira Nils Odette Pablo Ramona Sven Thelma Ulrich Valentin Anton Celine
Dmitri Elsa Florian Gerda Hector Ilse Joseph Kim Leonard Marta Norbert Olga Philip Regina Sergei Tamara""".split()

FAMILY_STARTS = """Bren Hal Mor Wick Ash Black Brook Carl Dun Ell Fair Gar Hart Iver Jen Kirk Lang Mill Nor Old Pem Quil Rad Sand
Thorn Under Var Wal York Zell Bar Cross Dal Ever Fen Green Hol Ken Lock Marsh Nash Pres Rams Stan Til Wood Ander Beck
Chap Dav Erik Fisch Gold Hoff Jo Klein Lind Mey Peters Rich Schul Svens Tor Vog Web""".split()
FAMILY_ENDS = "ford ton ley man son well wick er field worth mann berg dale stone croft ham by sen ner hart low ridge".split()

PLACES = """Paris Berlin Rome Madrid London Vienna Warsaw Athens Oslo Lisbon Dublin Prague Zurich Geneva Hamburg Munich Milan Naples
Venice Florence Lyon Nice Bordeaux Seville Valencia Porto Ghent Antwerp Bruges Rotterdam Utrecht Malmo Bergen Turku Gdansk
Krakow Graz Salzburg Basel Leeds Bristol Oxford Cambridge York Bath Glasgow Cork Galway Boston Chicago Denver Seattle Austin
Dallas Houston Miami Atlanta Portland Phoenix Toronto Montreal Vancouver Sydney Melbourne Perth Auckland Wellington Osaka
Kyoto Nagoya Seoul Busan Shanghai Mumbai Pune Chennai Karachi Dubai Cairo Tunis Lagos Accra Nairobi Durban Lima Quito
Bogota Santiago Havana Cologne Dresden Leipzig Bremen Stuttgart Nuremberg Trieste Verona Bologna Palermo Turin Genoa Marseille
Toulouse Nantes Lille Granada Bilbao Malaga Split Riga Vilnius Tallinn Sofia Varna Cluj Brno Linz""".split()
PLACE_STARTS = """North South East West New Old Green White Red Black Stone River Lake Hill Wood Oak Ash Elm Pine Fox Wolf Raven Swan
King Queen Bishop Mill Bridge Salt Silver Gold Iron Copper Clear Cold Fair High Long Mar Mel Nor Pen Ros Tre Wen Win Hal
Bran Cald Dor Hart Kings Lang Mor Storm Sun Summer Winter""".split()
PLACE_ENDS = """ton ford bridge mouth port field ham wick bury dale haven stead worth burg ville wood ley minster well gate cliff
brook shore land hill by""".split()
