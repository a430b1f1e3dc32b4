"""RapidPro and Glific: flow definitions of versions 11 to 14 (the flows format of Nyaruka's products)."""
