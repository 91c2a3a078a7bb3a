"""The genres of the demo catalogue, a module each."""

from genres import ambient, classical, folk, funk, house, jazz, latin, reggae, rock

STYLES = {
    module.STYLE.name: module.STYLE
    for module in (ambient, classical, folk, funk, house, jazz, latin, reggae, rock)
}
