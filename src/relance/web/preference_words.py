"""The words of the pages that prospects see, in the languages they read. Catalogues exist for those of our users alone, so far."""

from __future__ import annotations

LANGUAGES = {
    "fr": "Français",
    "en": "English",
    "de": "Deutsch",
    "es": "Español",
    "it": "Italiano",
    "nl": "Nederlands",
    "pt": "Português",
}

_KEYS = (
    "title", "for_address", "by_mail", "all_mail", "other_ways", "phone", "sms", "whatsapp", "pending", "often", "no_limit", "week",
    "month", "quarter", "pause", "no_pause", "month_1", "month_3", "month_6", "paused", "keep_pause", "end_pause", "save",
    "off_title", "off_text", "off", "saved", "all_off", "mail_off", "stale", "many", "broken_title", "broken_text", "gone_title",
    "gone_text", "choose", "language", "skip",
)  # fmt: skip

_TEXTS = {
    "en": """What would you like to receive?
For %(address)s. Your choices apply at once.
By e-mail
E-mails from %(brand)s
In other ways
Phone calls
SMS
WhatsApp messages
To be confirmed by e-mail
Not more often than
No limit
once a week
once a month
once every three months
Pause
No pause
For one month
For three months
For six months
Nothing is sent until %(day)s.
Keep the pause
End the pause
Save my choices
Receive nothing more
One click is enough, for every subject and every channel. Messages about a contract in progress continue.
Unsubscribe from everything
Your choices are saved and apply from now on.
You will receive no more marketing messages from us.
You will receive no more marketing e-mails from %(brand)s.
This page was out of date. Nothing was changed: check your choices and save them again.
The first %(shown)s subjects are shown. The last button covers them all.
This link is incomplete
It was cut when copied, or it belongs to another site. Nothing was changed. Open the link in our e-mail again, or answer that e-mail with the word “stop”: that is enough to receive nothing more.
We no longer hold your address
You will receive nothing more, and there is nothing left to change.
Choose what you receive
Language
Skip to the content""",
    "fr": """Que voulez-vous recevoir ?
Pour %(address)s. Vos choix s’appliquent tout de suite.
Par e-mail
Les e-mails de %(brand)s
Par d’autres moyens
Appels téléphoniques
SMS
Messages WhatsApp
À confirmer par e-mail
Pas plus souvent que
Sans limite
une fois par semaine
une fois par mois
une fois par trimestre
Pause
Pas de pause
Pendant un mois
Pendant trois mois
Pendant six mois
Rien n’est envoyé avant le %(day)s.
Garder la pause
Terminer la pause
Enregistrer mes choix
Ne plus rien recevoir
Un clic suffit, pour tous les sujets et tous les canaux. Les messages liés à un contrat en cours continuent.
Me désabonner de tout
Vos choix sont enregistrés et s’appliquent dès maintenant.
Vous ne recevrez plus de messages commerciaux de notre part.
Vous ne recevrez plus d’e-mails commerciaux de %(brand)s.
Cette page n’était plus à jour. rien n’a changé : vérifiez vos choix et enregistrez-les de nouveau.
Les %(shown)s premiers sujets sont affichés. Le dernier bouton vaut pour tous.
Ce lien est incomplet
Il a été coupé en le copiant, ou il vient d’un autre site. Rien n’a changé. Ouvrez de nouveau le lien de notre e-mail, ou répondez à cet e-mail par le mot « stop » : cela suffit pour ne plus rien recevoir.
Nous n’avons plus votre adresse
Vous ne recevrez plus rien, et il n’y a plus rien à modifier.
Choisir ce que vous recevez
Langue
Aller au contenu""",
    "de": """Was möchten Sie erhalten?
Für %(address)s. Ihre Auswahl gilt sofort.
Per E-Mail
E-Mails von %(brand)s
Auf anderen Wegen
Telefonanrufe
SMS
WhatsApp-Nachrichten
Noch per E-Mail zu bestätigen
Nicht öfter als
Ohne Grenze
einmal pro Woche
einmal pro Monat
einmal im Quartal
Pause
Keine Pause
Einen Monat lang
Drei Monate lang
Sechs Monate lang
Bis zum %(day)s wird nichts gesendet.
Pause beibehalten
Pause beenden
Auswahl speichern
Nichts mehr erhalten
Ein Klick genügt, für alle Themen und alle Kanäle. Nachrichten zu einem laufenden Vertrag kommen weiterhin.
Von allem abmelden
Ihre Auswahl ist gespeichert und gilt ab jetzt.
Sie erhalten keine Werbung mehr von uns.
Sie erhalten keine Werbe-E-Mails mehr von %(brand)s.
Diese Seite war nicht mehr aktuell. Es wurde nichts geändert: Prüfen Sie Ihre Auswahl und speichern Sie erneut.
Die ersten %(shown)s Themen werden gezeigt. Die letzte Schaltfläche gilt für alle.
Dieser Link ist unvollständig
Er wurde beim Kopieren abgeschnitten oder gehört zu einer anderen Website. Es wurde nichts geändert. Öffnen Sie den Link in unserer E-Mail erneut, oder antworten Sie auf die E-Mail mit dem Wort „Stop“: Das genügt, um nichts mehr zu erhalten.
Wir haben Ihre Adresse nicht mehr
Sie erhalten nichts mehr, und es gibt nichts mehr zu ändern.
Auswählen, was Sie erhalten
Sprache
Zum Inhalt springen""",
    "es": """¿Qué desea recibir?
Para %(address)s. Sus preferencias se aplican de inmediato.
Por correo electrónico
Correos de %(brand)s
Por otros medios
Llamadas telefónicas
SMS
Mensajes de WhatsApp
Pendiente de confirmar por correo
No más de
Sin límite
una vez por semana
una vez al mes
una vez por trimestre
Pausa
Sin pausa
Durante un mes
Durante tres meses
Durante seis meses
No se envía nada hasta el %(day)s.
Mantener la pausa
Terminar la pausa
Guardar mis preferencias
No recibir nada más
Basta un clic, para todos los temas y todos los canales. Los mensajes sobre un contrato en curso continúan.
Darme de baja de todo
Sus preferencias están guardadas y se aplican desde ahora.
No recibirá más mensajes comerciales de nuestra parte.
No recibirá más correos comerciales de %(brand)s.
Esta página ya no estaba actualizada. No se ha cambiado nada: revise sus preferencias y guárdelas de nuevo.
Se muestran los primeros %(shown)s temas. El último botón vale para todos.
Este enlace está incompleto
Se cortó al copiarlo o pertenece a otro sitio. No se ha cambiado nada. Abra de nuevo el enlace de nuestro correo o responda a ese correo con la palabra «baja»: basta para no recibir nada más.
Ya no tenemos su dirección
No recibirá nada más, y no queda nada que cambiar.
Elegir lo que recibe
Idioma
Ir al contenido""",
    "it": """Che cosa desidera ricevere?
Per %(address)s. Le sue scelte valgono da subito.
Per e-mail
E-mail di %(brand)s
In altri modi
Telefonate
SMS
Messaggi WhatsApp
Da confermare per e-mail
Non più spesso di
Senza limite
una volta alla settimana
una volta al mese
una volta al trimestre
Pausa
Nessuna pausa
Per un mese
Per tre mesi
Per sei mesi
Non si invia nulla fino al %(day)s.
Mantenere la pausa
Terminare la pausa
Salvare le mie scelte
Non ricevere più nulla
Basta un clic, per tutti gli argomenti e tutti i canali. I messaggi su un contratto in corso continuano.
Annullare tutte le iscrizioni
Le sue scelte sono salvate e valgono da ora.
Non riceverà più messaggi commerciali da parte nostra.
Non riceverà più e-mail commerciali da %(brand)s.
Questa pagina non era più aggiornata. Nulla è cambiato: controlli le sue scelte e le salvi di nuovo.
Sono mostrati i primi %(shown)s argomenti. L’ultimo pulsante vale per tutti.
Questo link è incompleto
È stato tagliato durante la copia o appartiene a un altro sito. Nulla è cambiato. Apra di nuovo il link della nostra e-mail, oppure risponda a quella e-mail con la parola «stop»: basta per non ricevere più nulla.
Non abbiamo più il suo indirizzo
Non riceverà più nulla, e non c’è altro da cambiare.
Scegliere che cosa ricevere
Lingua
Vai al contenuto""",
    "nl": """Wat wilt u ontvangen?
Voor %(address)s. Uw keuzes gelden meteen.
Per e-mail
E-mails van %(brand)s
Op andere manieren
Telefoongesprekken
Sms
WhatsApp-berichten
Nog per e-mail te bevestigen
Niet vaker dan
Geen grens
één keer per week
één keer per maand
één keer per kwartaal
Pauze
Geen pauze
Een maand lang
Drie maanden lang
Zes maanden lang
Tot %(day)s wordt niets verstuurd.
De pauze behouden
De pauze beëindigen
Mijn keuzes opslaan
Niets meer ontvangen
Eén klik volstaat, voor alle onderwerpen en alle kanalen. Berichten over een lopend contract gaan door.
Voor alles uitschrijven
Uw keuzes zijn opgeslagen en gelden vanaf nu.
U ontvangt geen reclame meer van ons.
U ontvangt geen reclamemails meer van %(brand)s.
Deze pagina was niet meer actueel. Er is niets gewijzigd: controleer uw keuzes en sla ze opnieuw op.
De eerste %(shown)s onderwerpen worden getoond. De laatste knop geldt voor alle.
Deze link is onvolledig
Hij is bij het kopiëren afgebroken of hoort bij een andere site. Er is niets gewijzigd. Open de link in onze e-mail opnieuw, of antwoord op die e-mail met het woord “stop”: dat volstaat om niets meer te ontvangen.
Wij hebben uw adres niet meer
U ontvangt niets meer, en er valt niets meer te wijzigen.
Kiezen wat u ontvangt
Taal
Naar de inhoud""",
    "pt": """O que deseja receber?
Para %(address)s. As suas escolhas aplicam-se de imediato.
Por e-mail
E-mails de %(brand)s
Por outros meios
Chamadas telefónicas
SMS
Mensagens de WhatsApp
A confirmar por e-mail
Não mais do que
Sem limite
uma vez por semana
uma vez por mês
uma vez por trimestre
Pausa
Sem pausa
Durante um mês
Durante três meses
Durante seis meses
Nada é enviado até %(day)s.
Manter a pausa
Terminar a pausa
Guardar as minhas escolhas
Não receber mais nada
Basta um clique, para todos os temas e todos os canais. As mensagens sobre um contrato em curso continuam.
Cancelar tudo
As suas escolhas estão guardadas e aplicam-se a partir de agora.
Não receberá mais mensagens comerciais da nossa parte.
Não receberá mais e-mails comerciais de %(brand)s.
Esta página já não estava atualizada. Nada foi alterado: verifique as suas escolhas e guarde-as de novo.
São mostrados os primeiros %(shown)s temas. O último botão vale para todos.
Esta ligação está incompleta
Foi cortada ao ser copiada ou pertence a outro site. Nada foi alterado. Abra de novo a ligação do nosso e-mail ou responda a esse e-mail com a palavra «sair»: basta para não receber mais nada.
Já não temos o seu endereço
Não receberá mais nada, e não há mais nada a alterar.
Escolher o que recebe
Língua
Ir para o conteúdo""",
}


def words_in(language: str) -> dict[str, str]:
    """Every sentence of the pages by its name, in one language of ours."""
    return dict(zip(_KEYS, _TEXTS[language].split("\n"), strict=True))
