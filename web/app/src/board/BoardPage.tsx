import { useQuery } from '@tanstack/react-query'
import { answer, api } from '../api/client'
import { useEvery } from '../api/useLive'
import type { Card } from '../api/types'
import { useLanguage } from '../i18n'
import { AsOf } from '../parts/AsOf'
import { FailureNote } from '../parts/FailureNote'
import { Page } from '../parts/Page'
import { Waiting } from '../parts/Waiting'
import { FiguresCard } from './FiguresCard'
import { OrdersCard } from './OrdersCard'
import { SourcesCard } from './SourcesCard'
import { StagesCard } from './StagesCard'
import './Board.css'

const EVERY = 10_000
// Lateness and ages grow without anything happening.
const WHILE_LIVE = 15_000
const BOARD = 'production'

function Body({ card }: { card: Card }) {
  if (card.kind === 'stages') return <StagesCard card={card} />
  if (card.kind === 'orders') return <OrdersCard card={card} />
  if (card.kind === 'sources') return <SourcesCard card={card} />
  return <FiguresCard card={card} />
}

/** The shop at a glance; every figure opens to the rows behind it. */
export default function BoardPage() {
  const { t, say } = useLanguage()
  const board = useQuery({
    queryKey: ['board', BOARD],
    queryFn: () => answer(api.GET('/api/boards/{code}', { params: { path: { code: BOARD } } })),
    refetchInterval: useEvery(EVERY, WHILE_LIVE),
  })
  const first = board.data?.cards[0]
  return (
    <Page
      title={board.data ? say(board.data.title) : t('menu.board')}
      actions={first && <AsOf at={first.as_of} updatedAt={board.dataUpdatedAt} />}
    >
      {!board.data &&
        (board.error ? (
          <FailureNote error={board.error} retry={() => void board.refetch()} />
        ) : (
          <Waiting rows={10} />
        ))}
      <div className="board">
        {board.data?.cards.map((card) => (
          <section key={card.code} className={`card board__card board__card--${card.kind}`}>
            <div className="card__head">
              <h2>{say(card.title)}</h2>
              {card.hint && <span className="muted small">{say(card.hint)}</span>}
            </div>
            <Body card={card} />
          </section>
        ))}
      </div>
    </Page>
  )
}
