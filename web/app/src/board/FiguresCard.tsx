import type { Card } from '../api/types'
import { quantity } from '../format/quantity'
import { useLanguage } from '../i18n'
import { FigureLink } from './FigureLink'

/** Plain figures with their units and notes. */
export function FiguresCard({ card }: { card: Card }) {
  const { say } = useLanguage()
  return (
    <div className="figures">
      {card.figures.map((figure) => (
        <FigureLink key={figure.key} to={figure.link} className="figure">
          <span className="figure__label">{say(figure.label)}</span>
          <span className={`figure__value tone--${figure.tone}`}>
            <b className="num">{quantity(figure.value)}</b>
            {figure.unit && figure.value !== null && <span className="figure__unit"> {say(figure.unit)}</span>}
          </span>
          {figure.note && <span className="muted small">{say(figure.note)}</span>}
        </FigureLink>
      ))}
    </div>
  )
}
