import type { Card, CardFigure } from '../api/types'
import { quantity } from '../format/quantity'
import { useLanguage } from '../i18n'
import { Empty } from '../parts/Empty'
import { FigureLink } from './FigureLink'

type Tile = { head: CardFigure; parts: CardFigure[] }

/** Figures whose key is `stage.part` belong under the tile of `stage`. */
export function tilesOf(figures: CardFigure[]): Tile[] {
  const heads = figures.filter((figure) => !figure.key.includes('.'))
  return heads.map((head) => ({
    head,
    parts: figures.filter((figure) => figure.key.startsWith(`${head.key}.`)),
  }))
}

function StageTile({ tile, most }: { tile: Tile; most: number }) {
  const { say } = useLanguage()
  const value = Number(tile.head.value ?? 0)
  return (
    <div className="tile">
      <FigureLink to={tile.head.link} className="tile__head">
        <span className="tile__label">{say(tile.head.label)}</span>
        <b className={`tile__value num${value === 0 ? ' tile__value--zero' : ''}`}>{quantity(tile.head.value)}</b>
        <span className="tile__bar" aria-hidden="true">
          <i style={{ width: `${most > 0 ? (value / most) * 100 : 0}%` }} />
        </span>
      </FigureLink>
      <div className="tile__parts">
        {tile.parts.length === 0 && tile.head.note && value > 0 && (
          <span className={`tile__note tone--${tile.head.tone}`}>{say(tile.head.note)}</span>
        )}
        {tile.parts
          .filter((part) => Number(part.value ?? 0) > 0)
          .map((part) => (
            <FigureLink key={part.key} to={part.link} className={`tile__part tone--${part.tone}`}>
              {say(part.label)} <b className="num">{quantity(part.value)}</b>
            </FigureLink>
          ))}
      </div>
    </div>
  )
}

/** The stages side by side, with how many are unconfirmed and late. */
export function StagesCard({ card }: { card: Card }) {
  const { t } = useLanguage()
  const tiles = tilesOf(card.figures)
  if (tiles.length === 0) return <Empty title={t('board.no_orders')} />
  const most = Math.max(...tiles.map((tile) => Number(tile.head.value ?? 0)))
  return (
    <div className="tiles">
      {tiles.map((tile) => (
        <StageTile key={tile.head.key} tile={tile} most={most} />
      ))}
    </div>
  )
}
