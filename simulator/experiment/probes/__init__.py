"""The question, the run and the judgement; sees no kernel, only the words of its border."""
