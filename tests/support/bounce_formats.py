"""Bounces in the forms of large systems, each after what its maker or its source says of the form.

Whose source is open was read there; of the others the fields are those that their documents name, and what stands in them
is made up. All addresses are under example.org and its like.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from textwrap import dedent

__all__ = ["FORMATS", "ORIGINAL_ID", "Format", "report"]

ORIGINAL_ID = "<47.invoice@example.org>"
_HEAD = "Date: Sun, 22 Nov 2026 08:30:00 +0000\nTo: bob@example.org\n"
_ORIGINAL = f"""\
From: Bob <bob@example.org>
To: gone@example.net
Subject: Invoice 47
Message-ID: {ORIGINAL_ID}
Date: Sun, 22 Nov 2026 08:29:00 +0000
"""


@dataclass(frozen=True)
class Format:
    """One bounce; ``source`` is where its form is from, ``words`` part of what the server said."""

    name: str
    source: str
    raw: bytes = field(repr=False)
    status: str
    words: str
    action: str = "failed"
    recipient: str = "gone@example.net"


def report(
    head: str,
    status: str,
    *,
    text: str = "It could not be delivered.",
    original: str = _ORIGINAL,
    kind: str = "message/rfc822",
) -> bytes:
    """A multipart/report (RFC 6522) with the three parts of RFC 3464."""
    parts = [f"Content-Type: text/plain; charset=us-ascii\n\n{dedent(text)}"]
    parts.append(f"Content-Type: message/delivery-status\n\n{dedent(status)}")
    if original:
        parts.append(f"Content-Type: {kind}\n\n{original}" + ("\nHello.\n" if kind == "message/rfc822" else ""))
    body = "".join(f"\n--=_b\n{part}" for part in parts)
    lines = 'MIME-Version: 1.0\nContent-Type: multipart/report; report-type=delivery-status;\n\tboundary="=_b"\n'
    return f"{dedent(head)}{_HEAD}{lines}{body}\n--=_b--\n".encode()


def plain(head: str, text: str, *, original: str = _ORIGINAL) -> bytes:
    return f"{dedent(head)}{_HEAD}\n{dedent(text)}{original}\nHello.\n".encode()


FORMATS = [
    Format(
        "Postfix",
        "postfix.org/bounce.8.html; src/bounce/bounce_notify_util.c",
        report(
            """\
            Return-Path: <>
            From: MAILER-DAEMON@mail.example.org (Mail Delivery System)
            Subject: Undelivered Mail Returned to Sender
            Auto-Submitted: auto-replied
            """,
            """\
            Reporting-MTA: dns; mail.example.org
            X-Postfix-Queue-ID: 4XyZ1
            X-Postfix-Sender: rfc822; bob@example.org
            Arrival-Date: Sun, 22 Nov 2026 08:29:30 +0000 (UTC)

            Final-Recipient: rfc822; gone@mx.example.net
            Original-Recipient: rfc822;gone@example.net
            Action: failed
            Status: 5.1.1
            Remote-MTA: dns; mx.example.net
            Diagnostic-Code: smtp; 550 5.1.1 <gone@mx.example.net>: Recipient address
                rejected: User unknown
            """,
        ),
        "5.1.1",
        "550 5.1.1 <gone@mx.example.net>: Recipient address rejected",
    ),
    Format(
        "Zimbra, a delay",
        "wiki.zimbra.com: its MTA is Postfix; postfix.org/postconf.5.html#delay_warning_time",
        report(
            "From: MAILER-DAEMON@zimbra.example.org (Mail Delivery System)\nSubject: Delayed Mail (still being retried)\n",
            """\
            Reporting-MTA: dns; zimbra.example.org

            Final-Recipient: rfc822; gone@example.net
            Action: delayed
            Status: 4.4.1
            Diagnostic-Code: X-Postfix; connect to mx.example.net[192.0.2.7]:25: Connection timed out
            Will-Retry-Until: Fri, 27 Nov 2026 08:29:30 +0000 (UTC)
            """,
            kind="text/rfc822-headers",
        ),
        "4.4.1",
        "Connection timed out",
        action="delayed",
    ),
    Format(
        "Microsoft 365 and Exchange",
        "learn.microsoft.com/exchange/mail-flow/non-delivery-reports-and-bounce-messages",
        report(
            """\
            From: "Microsoft Outlook" <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@example.org>
            Subject: =?utf-8?q?Undeliverable=3A_Invoice_47?=
            Auto-Submitted: auto-replied
            X-MS-Exchange-Message-Is-Ndr: x
            In-Reply-To: <47.invoice@example.org>
            References: <47.invoice@example.org>
            """,
            """\
            Reporting-MTA: dns;AM0PR01.eurprd01.prod.example.org
            Received-From-MTA: dns;mail.example.org
            Arrival-Date: Sun, 22 Nov 2026 08:29:30 +0000

            Final-Recipient: rfc822;gone@example.net
            Action: failed
            Status: 5.1.10
            Diagnostic-Code: smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup
            X-Display-Name: Gone Away
            """,
        ),
        "5.1.10",
        "550 5.1.10 RESOLVER.ADR.RecipientNotFound",
    ),
    Format(
        "Gmail",
        "support.google.com/mail/answer/6596; its DSN has X-Original-Message-ID",
        report(
            """\
            Return-Path: <>
            From: Mail Delivery Subsystem <mailer-daemon@googlemail.com>
            Subject: Delivery Status Notification (Failure)
            X-Failed-Recipients: gone@example.net
            Auto-Submitted: auto-replied
            """,
            """\
            Reporting-MTA: dns; googlemail.com
            Arrival-Date: Sun, 22 Nov 2026 00:29:30 -0800 (PST)
            X-Original-Message-ID: <47.invoice@example.org>

            Final-Recipient: rfc822; gone@example.net
            Action: failed
            Status: 5.2.2
            Remote-MTA: dns; mx.example.net. (192.0.2.7, the server for the domain example.net.)
            Diagnostic-Code: smtp; 552-5.2.2 The recipient's inbox is out of storage space.
             552 5.2.2 See the help page. a1-2 - gsmtp
            Last-Attempt-Date: Sun, 22 Nov 2026 00:29:31 -0800 (PST)
            """,
            original="",
        ),
        "5.2.2",
        "inbox is out of storage space",
    ),
    Format(
        "Exim, as a text",
        "exim.org, specification, 49: Customizing messages",
        plain(
            """\
            Return-path: <>
            X-Failed-Recipients: gone@example.net
            Auto-Submitted: auto-replied
            From: Mail Delivery System <Mailer-Daemon@mail.example.org>
            Subject: Mail delivery failed: returning message to sender
            """,
            """\
            A message that you sent could not be delivered. The following address(es) failed:

              gone@example.net
                host mx.example.net [192.0.2.7]
                SMTP error from remote mail server after RCPT TO:<gone@example.net>:
                550 5.7.1 Relaying denied

            ------ This is a copy of the message, including all the headers. ------

            """,
        ),
        "5.7.1",
        "550 5.7.1 Relaying denied",
    ),
    Format(
        "Exim, a warning",
        "exim.org, specification, 49: Customizing messages (warn_message_file)",
        plain(
            """\
            Return-path: <>
            Auto-Submitted: auto-replied
            From: Mail Delivery System <Mailer-Daemon@mail.example.org>
            Subject: Warning: message 1tEabc-0001 delayed 24 hours
            """,
            f"""\
            A message that you sent has not yet been delivered after more than 24 hours on the queue.

            Message-ID: {ORIGINAL_ID}
            The address to which it has not yet been delivered is:

              gone@example.net
                host mx.example.net [192.0.2.7]: Connection timed out

            """,
            original="",
        ),
        "4.0.0",
        "Connection timed out",
        action="delayed",
    ),
    Format(
        "qmail",
        "cr.yp.to/proto/qsbmf.txt",
        plain(
            "Return-Path: <>\nFrom: MAILER-DAEMON@qmail.example.org\nSubject: failure notice\n",
            """\
            Hi. This is the qmail-send program at qmail.example.org.
            Nothing more can be done for these.

            <gone@example.net>:
            192.0.2.7 does not like recipient.
            Remote host said: 550 5.1.1 no mailbox here by that name
            Giving up on 192.0.2.7.

            --- Below this line is a copy of the message.

            Return-Path: <bob@example.org>
            """,
        ),
        "5.1.1",
        "Remote host said: 550 5.1.1 no mailbox",
    ),
    Format(
        "sendmail 8",
        "sendmail, savemail.c; RFC 3464, appendix",
        report(
            """\
            Return-Path: <MAILER-DAEMON@mail.example.org>
            From: Mail Delivery Subsystem <MAILER-DAEMON@mail.example.org>
            Subject: Returned mail: see transcript for details
            Auto-Submitted: auto-generated (failure)
            """,
            """\
            Reporting-MTA: dns; mail.example.org
            Received-From-MTA: DNS; host.example.org
            Arrival-Date: Sun, 22 Nov 2026 08:29:30 GMT

            Final-Recipient: RFC822; gone@example.net
            Action: failed
            Status: 5.0.0
            Remote-MTA: DNS; mx.example.net
            Diagnostic-Code: SMTP; 554 5.6.0 Content was refused
            """,
        ),
        "5.6.0",
        "554 5.6.0 Content was refused",
    ),
    Format(
        "sendmail 5 and before",
        "sendmail 5, savemail.c",
        plain(
            "From: MAILER-DAEMON (Mail Delivery Subsystem)\nSubject: Returned mail: User unknown\n",
            """\
               ----- Transcript of session follows -----
            550 5.1.1 <gone@example.net>... User unknown

               ----- Unsent message follows -----
            """,
        ),
        "5.1.1",
        "User unknown",
    ),
    Format(
        "Amazon SES",
        "docs.aws.amazon.com/ses: notifications by email; API_RecipientDsnFields",
        report(
            """\
            Return-Path: <>
            From: MAILER-DAEMON@amazonses.com
            Subject: Delivery Status Notification (Failure)
            """,
            """\
            Reporting-MTA: dns; a8-70.smtp-out.amazonses.com

            Action: failed
            Final-Recipient: rfc822; gone@example.net
            Diagnostic-Code: smtp; 550 5.1.1 user unknown
            Status: 5.1.1
            """,
        ),
        "5.1.1",
        "550 5.1.1 user unknown",
    ),
    Format(
        "Yahoo",
        "flufl.bounce, _detectors/yahoo.py; senders.yahooinc.com/smtp-error-codes",
        plain(
            "Return-Path: <>\nFrom: MAILER-DAEMON@yahoo.com\nSubject: Failure Notice\n",
            """\
            Sorry, this did not arrive at the following address.

            <gone@example.net>:
            554: 30 No such mailbox here

            --- Below this line is a copy of the message.

            """,
        ),
        "5.0.0",
        "30 No such mailbox here",
    ),
    Format(
        "Domino",
        "help.hcl-software.com/domino: delivery failure reports; RFC 3464 with X-Notes",
        report(
            "From: Postmaster@domino.example.org\nSubject: DELIVERY FAILURE: User gone not listed in Domino Directory\n",
            """\
            Reporting-MTA: dns;domino.example.org

            Final-Recipient: rfc822;gone@example.net
            Action: failed
            Status: 5.1.1
            Diagnostic-Code: X-Notes; User gone (gone@example.net) not listed in Domino Directory
            """,
        ),
        "5.1.1",
        "not listed in Domino Directory",
    ),
    Format(
        "GroupWise",
        "novell.com/documentation/groupwise: Internet Agent, undeliverable messages",
        plain(
            "Return-Path: <>\nFrom: <Postmaster@groupwise.example.org>\nSubject: Message status - undeliverable\n",
            """\
            The message was undeliverable to the following:
            \tgone@example.net (user not found)

            ----- The original message: -----
            """,
        ),
        "5.0.0",
        "user not found",
    ),
    Format(
        "SendGrid",
        "docs.sendgrid.com: forwarded bounces are DSNs of RFC 3464",
        report(
            'From: "Mail Delivery Subsystem" <mailer-daemon@sendgrid.example.org>\nSubject: Undelivered Mail\n',
            """\
            Reporting-MTA: dns; sendgrid.example.org

            Final-Recipient: rfc822; <gone@example.net>
            Action: failed
            Status: 5.0.0
            Diagnostic-Code: 550 5.4.1 All recipient addresses rejected
            """,
            kind="text/rfc822-headers",
        ),
        "5.4.1",
        "550 5.4.1 All recipient addresses rejected",
    ),
    Format(
        "Mailgun",
        "documentation.mailgun.com: bounces, with codes 605 and 607 of its own",
        report(
            "Return-Path: <>\nFrom: postmaster@mg.example.org\nSubject: Delivery Status Notification (Failure)\n",
            """\
            Reporting-MTA: dns; mg.example.org

            Final-Recipient: rfc822;gone@example.net
            Action: failed
            Status: 5.0.0
            Diagnostic-Code: smtp; 605 Not delivering to previously bounced address
            """,
        ),
        "5.0.0",
        "605 Not delivering to previously bounced address",
    ),
    Format(
        "OpenSMTPD",
        "OpenSMTPD, smtpd/bounce.c",
        report(
            """\
            From: Mailer Daemon <MAILER-DAEMON@opensmtpd.example.org>
            Subject: Delivery status notification: error
            """,
            """\
            Reporting-MTA: dns; opensmtpd.example.org

            Final-Recipient: rfc822; gone@example.net
            Action: failed
            Status: 5.0.0
            """,
            text="gone@example.net: 550 Invalid recipient",
            kind="text/rfc822-headers",
        ),
        "5.0.0",
        "550 Invalid recipient",
    ),
    Format(
        "Courier",
        "courier-mta.org/courierdsn.html",
        report(
            'From: "Courier mail server at mail.example.org" <@>\nSubject: NOTICE: mail delivery status.\n',
            """\
            Reporting-MTA: dns; mail.example.org
            Arrival-Date: Sun, 22 Nov 2026 08:29:30 +0000
            Received-From-MTA: dns; host.example.org ([192.0.2.9])

            Final-Recipient: rfc822; gone@example.net
            Action: failed
            Status: 5.0.0
            Remote-MTA: dns; mx.example.net [192.0.2.7]
            Diagnostic-Code: smtp; 550 5.2.1 Mailbox disabled
            """,
        ),
        "5.2.1",
        "550 5.2.1 Mailbox disabled",
    ),
    Format(
        "DragonFly Mail Agent",
        "github.com/corecode/dma, mail.c: bounce()",
        plain(
            "From: MAILER-DAEMON <>\nSubject: Mail delivery failed\n",
            """\
            This is the DragonFly Mail Agent v0.13 at dma.example.org.

            There was an error delivering your mail to <gone@example.net>.

            mx.example.net [192.0.2.7] did not like our RCPT TO:
            550 5.7.26 Unauthenticated mail is not accepted

            Message headers follow.

            """,
        ),
        "5.7.26",
        "Unauthenticated mail is not accepted",
    ),
    Format(
        "a report in UTF-8",
        "RFC 6533, 3 and 4",
        report(
            "Return-Path: <>\nFrom: MAILER-DAEMON@mail.example.org\nSubject: Undelivered\n",
            r"""
            Reporting-MTA: dns; mail.example.org

            Original-Recipient: utf-8;gr\x{FC}\x{DF}e@example.net
            Final-Recipient: utf-8; gr\x{FC}\x{DF}e@example.net
            Action: failed
            Status: 5.6.7
            Diagnostic-Code: smtp; 553 5.6.7 No SMTPUTF8 here
            """,
        ),
        "5.6.7",
        "No SMTPUTF8 here",
        recipient="grüße@example.net",
    ),
]
