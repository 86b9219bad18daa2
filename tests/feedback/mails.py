"""Plain feedback wrapped as mail programs and help desks write it."""

import random
from html import escape

PEOPLE = [
    "Zoé Lindqvist",
    "Tom Abara",
    "Ines Moreau",
    "Karl-Heinz Vogt",
    "Priya Raman",
    "Luc Ferrand",
]
AGENT_EN = "Thank you for your message. We looked into it and will answer within two days."
AGENT_FR = "Merci pour votre message. Nous regardons cela et vous répondons sous deux jours."


def outlook(text, who, number):
    """HTML of Outlook: styles, conditional comments, a disclaimer, the head of the older mail."""
    return f"""<html xmlns:o="urn:schemas-microsoft-com:office:office"><head><meta http-equiv=Content-Type
content="text/html; charset=utf-8"><style><!-- p.MsoNormal {{margin:0cm; font-size:11.0pt;}} --></style>
<!--[if gte mso 9]><xml><o:shapedefaults v:ext="edit" spidmax="1026" /></xml><![endif]--></head>
<body lang=EN-GB link="#0563C1"><div class=WordSection1><p class=MsoNormal>Dear Support,<o:p></o:p></p>
<p class=MsoNormal><o:p>&nbsp;</o:p></p><p class=MsoNormal>{escape(text)}<o:p></o:p></p>
<p class=MsoNormal><o:p>&nbsp;</o:p></p><p class=MsoNormal>Kind regards,<o:p></o:p></p>
<p class=MsoNormal><b><span style='color:#1F3864'>{who}</span></b><o:p></o:p></p>
<p class=MsoNormal>Head of Operations | Nordwind Ltd<br>+44 20 7946 0{number % 1000:03d}<o:p></o:p></p>
<p class=MsoNormal><i>This message is confidential and intended solely for the addressee.</i></p>
<div><div style='border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm'>
<p class=MsoNormal><b>From:</b> Shop Support &lt;help@shop.example&gt;<br><b>Sent:</b> 03 August 2026 10:12<br>
<b>To:</b> {who} &lt;user{number}@nordwind.example&gt;<br><b>Subject:</b> RE: Your request {number}</p></div></div>
<p class=MsoNormal>{AGENT_EN}</p></div></body></html>"""


def gmail(text, who, number):
    """HTML of Gmail: the reply above, the older mail in a block."""
    first = who.split()[0]
    return (
        f'<div dir="ltr"><div>Hi there,</div><div><br></div><div>{escape(text)}</div><div><br></div>'
        f"<div>Many thanks,</div><div>{first}</div></div><br>"
        '<div class="gmail_quote gmail_quote_container"><div dir="ltr" class="gmail_attr">On Mon, 3 Aug 2026 at '
        f'10:12, Shop Support &lt;<a href="mailto:help@shop.example">help@shop.example</a>&gt; wrote:<br></div>'
        '<blockquote class="gmail_quote" style="margin:0 0 0 .8ex;border-left:1px solid rgb(204,204,204)">'
        f"<div><p>Hello {who},</p><p>{AGENT_EN}</p><p>Request {number}</p></div></blockquote></div>"
    )


def apple(text, who, number):
    """Plain text of Apple Mail: a device line, a wrapped attribution, ``>`` before older lines."""
    return (
        f"Good morning\n\n{text}\n\nBest wishes\n{who}\n\nSent from my iPhone\n\n"
        f"> On 3 Aug 2026, at 10:12, Shop Support Second Line\n> <help@shop.example> wrote:\n>\n"
        f"> Hello {who},\n> {AGENT_EN}\n> ##- Please type your reply above this line -##\n"
    )


def thunderbird(text, who, number):
    """Plain text of a French Thunderbird."""
    return (
        f"Bonjour Madame, Monsieur,\n\n{text}\n\nDans l'attente de votre retour,\nBien cordialement,\n\n"
        f"-- \n{who}\nResponsable logistique\nSARL Petit Port\n12 quai du Nord, 44000 Nantes\n"
        f"Tél. : 02 40 00 0{number % 10} 00\n\nLe 03/08/2026 à 10:12, Service client a écrit :\n"
        f"> Bonjour {who},\n>\n> {AGENT_FR}\n> Demande {number}\n"
    )


def bottom(text, who, number):
    """An answer below what it answers."""
    return (
        f"Am 03.08.2026 um 10:12 schrieb Shop Support:\n> Hello {who},\n> {AGENT_EN}\n>\n> Regards, Julie\n\n"
        f"{text}\n\nCheers,\n{who.split()[0].lower()}\n"
    )


def forwarded(text, who, number):
    """A complaint that is passed on, with no more than a pointer above."""
    return (
        "FYI, see below.\n\n---------- Forwarded message ---------\n"
        f"From: {who} <user{number}@mail.example>\nDate: Mon, 3 Aug 2026 at 10:12\nSubject: complaint {number}\n"
        f"To: <help@shop.example>\n\n\nHello,\n\n{text}\n\nRegards,\n{who}\n"
    )


def outlook_fr(text, who, number):
    """Plain text of a French Outlook."""
    return (
        f"Bonsoir à toute l\u2019équipe,\n\n{text}\n\nMerci d\u2019avance pour votre aide.\n\nCordialement,\n\n{who}\n"
        f"Envoyé à partir de Outlook pour Android\n"
        "Ce message et ses pièces jointes sont confidentiels et établis à l\u2019intention\nexclusive de ses "
        "destinataires.\n________________________________\n"
        f"De : Service client <aide@boutique.example>\nEnvoyé : lundi 3 août 2026 10:12\nÀ : {who} "
        f"<client{number}@port.example>\nObjet : RE: Votre demande {number}\n\nBonjour {who},\n{AGENT_FR}\n"
    )


def ticket(text, who, number):
    """A help desk's notice, with a warning of the company's gateway."""
    return (
        f"[EXTERNAL] RE: Ticket {number}\nCAUTION: This email originated from outside of the organization.\n\n"
        f"Hello Julie,\n\n{text}\n\nThank you!\n{who}\n\n"
        f"##- Please type your reply above this line -##\nYour request ({number}) has been received.\n{AGENT_EN}\n"
    )


def mailto(text, who, number):
    """Plain text of an older Outlook, its head with a copy."""
    return (
        f"Hey guys!\n\n{text}\n\nAny help would be appreciated.\nCheers\n{who}\nProduct Lead, Fjord AS\n"
        f"M: +47 900 12 {number % 1000:03d}\n\nFrom: Customer Care [mailto:care@shop.example]\n"
        f"Sent: Tuesday, August 4, 2026 9:01 AM\nTo: {who}\nCc: Billing\nSubject: Re: [#{number}] x\n\n"
        f"Hi {who},\n\n{AGENT_EN}"
    )


def letter_fr(text, who, number):
    """A formal French letter with an address below the name."""
    return (
        f"Madame, Monsieur,\n\n{text}\n\nJe vous prie d'agréer, Madame, Monsieur, l'expression de mes "
        f"salutations distinguées.\n\n{who}\n{number % 90} rue des Lilas\n69003 Lyon\n06 12 34 56 78"
    )


def wrapped_attribution(text, who, number):
    """A French Gmail in plain text, whose attribution breaks before its verb."""
    return (
        f"Bonjour à tous,\n\n{text}\n\nMerci pour votre aide,\n{who}\n\n"
        "Le mar. 4 août 2026 à 09:01, Boutique <aide@boutique.example>\na écrit :\n\n"
        f"> Bonjour {who},\n>\n> {AGENT_FR}\n> Demande {number}\n"
    )


def table(text, who, number):
    """HTML with a signature in a table and a notice below it."""
    return (
        f"<html><body><p>Hello,</p><p>{escape(text)}</p><p>Thank you for your help.</p><p>Warm regards,</p>"
        f"<table><tr><td><b>{who}</b></td></tr><tr><td>Customer Success Manager</td></tr>"
        f"<tr><td>T +1 415 555 0{number % 1000:03d}</td></tr></table><p>This email and its attachments may "
        "contain confidential information intended only for the recipient.</p></body></html>"
    )


STYLES = (
    outlook,
    gmail,
    apple,
    thunderbird,
    bottom,
    forwarded,
    outlook_fr,
    ticket,
    mailto,
    letter_fr,
    wrapped_attribution,
    table,
)


def wrapped(texts, styles=STYLES, share=1.0):
    """Return texts as mails in these styles, in turn, and who signs each."""
    draw = random.Random(0)
    signers = [draw.choice(PEOPLE) for _ in texts]
    return [
        styles[at % len(styles)](text, who, 1000 + at) if draw.random() < share else text
        for at, (text, who) in enumerate(zip(texts, signers, strict=True))
    ], signers
