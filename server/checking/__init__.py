"""The form of requests, checked before anything else looks at them: one module for each subject."""
