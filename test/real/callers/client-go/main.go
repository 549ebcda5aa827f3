// A caller as operators and controllers are: client-go by itself, in one process that lives on, many requests at once.
// client-go-caller [-rounds N] [-parallel N] [-pause DURATION]; the kubeconfig is KUBECONFIG's. One line a request: the names of the pods.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/clientcmd"
)

func main() {
	rounds := flag.Int("rounds", 1, "one after the other")
	parallel := flag.Int("parallel", 1, "requests at once in each round")
	pause := flag.Duration("pause", 0, "between two rounds")
	flag.Parse()

	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(clientcmd.NewDefaultClientConfigLoadingRules(), nil).ClientConfig()
	if err != nil {
		fail(err)
	}
	config.QPS = 1000
	config.Burst = 1000
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		fail(err)
	}
	pods := client.Resource(schema.GroupVersionResource{Version: "v1", Resource: "pods"}).Namespace("default")

	var failed atomic.Int32
	for round := 0; round < *rounds; round++ {
		if round > 0 {
			time.Sleep(*pause)
		}
		var all sync.WaitGroup
		for i := 0; i < *parallel; i++ {
			all.Add(1)
			go func() {
				defer all.Done()
				list, err := pods.List(context.Background(), metav1.ListOptions{})
				if err != nil {
					failed.Add(1)
					fmt.Fprintln(os.Stderr, "client-go-caller:", err)
					return
				}
				names := make([]string, 0, len(list.Items))
				for _, pod := range list.Items {
					names = append(names, pod.GetName())
				}
				fmt.Println(strings.Join(names, ","))
			}()
		}
		all.Wait()
	}
	if failed.Load() > 0 {
		os.Exit(1)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "client-go-caller:", err)
	os.Exit(1)
}
