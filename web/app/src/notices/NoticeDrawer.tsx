import { keepPreviousData, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { App, Button, Drawer } from 'antd'
import { useEffect, useState } from 'react'
import { answer, api } from '../api/client'
import { useEvery } from '../api/useLive'
import { useLanguage } from '../i18n'
import { useErrorText } from '../i18n/errors'
import { Empty } from '../parts/Empty'
import { FailureNote } from '../parts/FailureNote'
import { Pager } from '../parts/Pager'
import { Waiting } from '../parts/Waiting'
import { NoticeRow } from './NoticeRow'

const EVERY = 30_000
const PAGE_SIZE = 20

/** What the reader's role was told, newest first. */
export function NoticeDrawer({ open, onClose }: { open: boolean; onClose: () => void }) {
  const { t } = useLanguage()
  const words = useErrorText()
  const queries = useQueryClient()
  const { message } = App.useApp()
  const [page, setPage] = useState(1)
  useEffect(() => {
    if (open) setPage(1)
  }, [open])
  const list = useQuery({
    queryKey: ['notices', 'list', page],
    enabled: open,
    queryFn: () => answer(api.GET('/api/notices', { params: { query: { page, page_size: PAGE_SIZE } } })),
    placeholderData: keepPreviousData,
    refetchInterval: useEvery(EVERY),
  })
  const read = useMutation({
    mutationFn: (ids: string[] | null) => answer(api.POST('/api/notices/read', { body: { ids } })),
    onError: (error) => void message.error(words(error)),
    onSettled: () => void queries.invalidateQueries({ queryKey: ['notices'] }),
  })
  const { data } = list
  return (
    <Drawer
      open={open}
      onClose={onClose}
      size={440}
      title={t('notices.title')}
      styles={{ wrapper: { maxWidth: '100vw' }, body: { padding: 0 } }}
      extra={
        <Button
          size="small"
          disabled={!data || data.unread === 0}
          loading={read.isPending && read.variables === null}
          onClick={() => read.mutate(null)}
        >
          {t('notices.read_all')}
        </Button>
      }
    >
      {!data &&
        (list.error ? (
          <FailureNote error={list.error} retry={() => void list.refetch()} bare />
        ) : (
          <div className="notices__waiting">
            <Waiting rows={6} card={false} />
          </div>
        ))}
      {data?.rows.length === 0 && <Empty title={t('notices.none')}>{t('notices.none_hint')}</Empty>}
      {data && data.rows.length > 0 && (
        <>
          <ul className="notices">
            {data.rows.map((notice) => (
              <NoticeRow key={notice.id} notice={notice} onRead={(id) => read.mutate([id])} onLeave={onClose} />
            ))}
          </ul>
          <div className="notices__pages">
            <Pager of={data} turn={setPage} />
          </div>
        </>
      )}
    </Drawer>
  )
}
