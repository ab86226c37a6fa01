import { Button, Flex } from "antd";
import { useState } from "react";
import { Problem } from "../../api/client";
import { useWords } from "../../i18n";
import { useProblemText } from "../../ui/ErrorState";
import { useToast } from "../../ui/toast";
import { DriftFields, PlanFields } from "./PlanFields";
import { useFeedKinds, usePatch, type Tagged } from "./queries";
import { planFault, planOf, scheduleOf } from "./schedule";

/** When a feed runs, and what it does when columns are gone. */
export function FeedPlan({ feed }: { feed: Tagged }) {
  const { t } = useWords();
  const toast = useToast();
  const text = useProblemText();
  const [base, setBase] = useState(feed);
  const patch = usePatch(base);
  const endless = useFeedKinds().data?.items.find((one) => one.kind === feed.kind)?.endless ?? feed.schedule === "continuous";
  const [plan, setPlan] = useState(planOf(feed.schedule));
  const [drift, setDrift] = useState(feed.drift);
  const refused = patch.error instanceof Problem && patch.error.path === "schedule" ? text(patch.error) : undefined;
  const save = () =>
    patch.mutate(
      { schedule: scheduleOf(plan), drift },
      {
        onSuccess: (saved) => {
          setBase(saved);
          toast.done(t("builder.saved"));
        },
        onError: toast.refused,
      },
    );
  return (
    <Flex vertical align="flex-start">
      <PlanFields plan={plan} endless={endless} refused={refused} onChange={setPlan} />
      <DriftFields drift={drift} onChange={setDrift} />
      <Button type="primary" disabled={planFault(plan) !== undefined} loading={patch.isPending} onClick={save}>{t("form.save")}</Button>
    </Flex>
  );
}
