"""Words that work anywhere in a bot: stop, back, language, menu, operator. They come before the open question and before keywords."""
