"""Conversations in Slack: in channels, threads and DMs, over Socket Mode or HTTP.

    in    app ─▶ listeners ─▶ receiving ─▶ inbound      whose message is it, and what does it say? (pure)
                          ├─▶ asking ─▶ forms           commands, forms, shortcuts, the Home tab
                          └─▶ clicks                    buttons
    out   thread ─▶ signs, progress ─▶ drafts           while a turn runs
                └─▶ delivering ─▶ render                Markdown → messages, in several forms (pure)
                              └─▶ posting, files        each once, in the first form that Slack takes
    web   Slack's Web API, patiently                    seam   what this package needs from the core

Nothing is kept here: whatever has to outlive the process goes through `seam.Journal`.
"""
