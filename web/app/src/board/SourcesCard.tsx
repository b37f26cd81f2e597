import type { Card } from '../api/types'
import { useFormats } from '../format/use'
import { useLanguage } from '../i18n'
import { FigureLink } from './FigureLink'

/** How old the data of each source is; the figure is in seconds. */
export function SourcesCard({ card }: { card: Card }) {
  const { t, say } = useLanguage()
  const { duration } = useFormats()
  if (card.figures.length === 0) return <p className="muted">{t('sources.none')}</p>
  return (
    <ul className="ages">
      {card.figures.map((figure) => (
        <li key={figure.key}>
          <FigureLink to={figure.link} className="age">
            <i className={`age__dot age__dot--${figure.tone}`} aria-hidden="true" />
            <span className="age__name">{say(figure.label)}</span>
            <span className={`num tone--${figure.tone === 'good' ? 'normal' : figure.tone}`}>
              {figure.value === null ? t('board.never') : t('board.age', { age: duration(Number(figure.value)) })}
            </span>
            {figure.note && <span className="age__note small muted">{say(figure.note)}</span>}
          </FigureLink>
        </li>
      ))}
    </ul>
  )
}
