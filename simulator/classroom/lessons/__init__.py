"""The course: lessons as files, what they ask, how answers are judged, how far a learner is."""
