"""When an object was last read whole: its ids, and its formulas."""

from django.db import migrations, models

KINDS = [(kind, kind) for kind in ("initial", "pull", "settle", "push", "sweep", "formulas")]


class Migration(migrations.Migration):
    dependencies = [("crm", "0003_failures")]

    operations = [
        migrations.AddField(
            "synccursor", "swept_at", models.DateTimeField(help_text="When all ids were last read.", null=True)
        ),
        migrations.AddField(
            "synccursor",
            "formulas_read_at",
            models.DateTimeField(help_text="When all records were last read for their formulas.", null=True),
        ),
        migrations.AlterField("syncrun", "kind", models.CharField(choices=KINDS, max_length=8)),
    ]
